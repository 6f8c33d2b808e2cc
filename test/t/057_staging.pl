# The database that a restore fills is closed until it takes its name, has a name that no role can take in
# advance, and only what pgbackup itself has made is dropped. A backup never reads a view that has taken the
# place of a table. All of it is attacked by roles without rights.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RestoreKilled;
use Test::More;

my $node = new_cluster('staging', restart_after_crash => 'on');
my $bin = $node->config_data('--bindir');

sub value { return $node->safe_psql('postgres', $_[0]) }
sub restore_row { return row_of($node, $_[0], 'restores') }

# Whether the role can connect, and else why not.
sub connects
{
	my ($role, $database) = @_;
	my ($status, undef, $error) = $node->psql($database, 'SELECT 1', extra_params => [ '-U', $role ]);
	return $status == 0 ? 'yes' : $error;
}

# A pg_restore that, while the file "hold" exists and once rows are loaded, does its work and then waits for
# the file "go".
my $held = $node->basedir . '/held';
mkdir $held or die;
symlink "$bin/$_", "$held/$_" for qw(pg_dump pg_dumpall psql);
append_to_file("$held/pg_restore", <<"SCRIPT");
#!/bin/bash
"$bin/pg_restore" "\$@" || exit
case "\$*" in *--section=post-data*) ;; *) exit 0 ;; esac
[ -e "$held/hold" ] || exit 0
touch "$held/reached"
while [ ! -e "$held/go" ] && [ -e "/proc/\$PPID" ]; do
	read -r -t 0.05 <> <(:)
done
exit 0
SCRIPT
chmod 0755, "$held/pg_restore";
restart_settings($node, 'pgbackup.bin_directory' => $held);

sub hold
{
	unlink "$held/reached", "$held/go";
	append_to_file("$held/hold", '');
	return;
}

sub go
{
	unlink "$held/hold";
	append_to_file("$held/go", '');
	return;
}

# mallory owns the database with all that is in it; its limit and privileges let her in.
value(q{CREATE ROLE mallory LOGIN});
value(q{CREATE ROLE bob LOGIN CREATEDB});
value(q{CREATE DATABASE shop OWNER mallory});
value(q{GRANT CONNECT ON DATABASE shop TO bob});
value(q{ALTER DATABASE shop CONNECTION LIMIT 7});
value(q{ALTER DATABASE shop SET work_mem = '7MB'});
value(q{COMMENT ON DATABASE shop IS 'a shop'});
$node->safe_psql('shop', q{
	SET SESSION AUTHORIZATION mallory;
	CREATE TABLE items (id int PRIMARY KEY, t text);
	INSERT INTO items SELECT i, md5(i::text) FROM generate_series(1, 1000) i;
	CREATE SCHEMA pgbackup_restoring;
	CREATE TABLE pgbackup_restoring.mine AS SELECT 1 AS i;
	CREATE SCHEMA pgbackup_amcheck;
	CREATE TABLE pgbackup_amcheck.mine AS SELECT 2 AS i});
my $properties_sql = q{SELECT format('%s %s %s %s %s', datallowconn, datconnlimit, pg_get_userbyid(datdba),
	  (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(datacl) a), shobj_description(d.oid, 'pg_database'))
	  || (SELECT string_agg(setconfig::text, ',') FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = };
sub properties_of { return value("$properties_sql'$_[0]'") }
my $original = properties_of('shop');
my $superusers = value('SELECT string_agg(rolname, chr(32)) FROM pg_roles WHERE rolsuper');

my %backup;
foreach my $format ('custom', 'parallel', 'plain')
{
	$backup{$format} = start_backup($node, "'shop', format => '$format'");
	is(finished($node, $backup{$format}), 'completed', "a $format backup") or diag(explain(row_of($node, $backup{$format})));
}

# What is to hold of a database that is being filled, analyzed or verified.
sub is_closed
{
	my ($side, $title) = @_;
	is(value("SELECT datconnlimit FROM pg_database WHERE datname = '$side'"), 0, "$title: no ordinary role has a connection");
	is(value("SELECT datdba::regrole = current_user::regrole FROM pg_database WHERE datname = '$side'"), 't', "$title: it belongs to the restoring role");
	is(value("SELECT count(*) FROM pg_roles, (VALUES ('mallory'), ('bob')) AS r (name) WHERE rolname = name AND has_database_privilege(name, '$side', 'CONNECT')"),
		0, "$title: no role has the right to connect");
	like(connects($_, $side), qr/permission denied for database|too many connections/, "$title: $_ is refused") for 'mallory', 'bob';
	return;
}

# Everything is loaded; what comes now is held up by a lock, which ANALYZE and COPY wait for.
sub stopped_after_load
{
	my ($id, $waiting, $mode) = @_;
	wait_for_file("$held/reached");
	my $side = restore_row($id)->{staging_database};
	my $holder = $node->background_psql($side);
	$holder->query_safe("BEGIN; LOCK TABLE items IN $mode MODE");
	go();
	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '$side' AND query ~ '^$waiting|pg_restore_[a-z]+_stats' AND wait_event_type = 'Lock'")
	  or die "never came to $waiting";
	return ($side, $holder);
}

foreach my $replace ('false', 'true')
{
	my $title = $replace eq 'true' ? 'a replacing restore' : 'a restore';
	hold();
	my $id = start_restore($node, "$backup{custom}, '" . ($replace eq 'true' ? 'shop' : 'copy') . "', replace => $replace");
	wait_for_file("$held/reached");
	my $filled = restore_row($id)->{staging_database};
	like($filled, qr/^(shop|copy)__restore_${id}_[0-9a-f]{8}$/, "$title: the row names the database that is filled");
	is_closed($filled, "$title, loaded");
	my ($side, $holder) = stopped_after_load($id, 'ANALYZE', 'SHARE UPDATE EXCLUSIVE');
	is_closed($side, "$title, analyzing");
	$holder->quit;
	is(finished($node, $id), 'completed', "$title completes") or diag(explain(restore_row($id)));
	my $target = $replace eq 'true' ? 'shop' : 'copy';
	is(properties_of($target), $original, "$title: what it has made is as open as the original");
	is(connects('mallory', $target), 'yes', 'its owner gets in');
	is(restore_row($id)->{staging_database}, '', 'no database has the other name any more');
	is($node->safe_psql($target, 'SELECT (SELECT i FROM pgbackup_restoring.mine) + (SELECT i FROM pgbackup_amcheck.mine)'), 3,
		'schemas called as helpers were once called are restored');
	is($node->safe_psql($target, q{SELECT count(*) FROM pg_namespace WHERE nspname ~ '^pgbackup'}), 2, 'and no others are left');
	is($node->safe_psql($target, q{SELECT count(*) FROM pg_event_trigger}), 0, 'nor an event trigger');
}
drop_kept($node, '');
value('DROP DATABASE copy');

# A verification hands nothing over at any time.
{
	hold();
	my $id = value("SELECT pgbackup.verify($backup{custom}, 'restore')");
	my ($side, $holder) = stopped_after_load($id, 'COPY', 'ACCESS EXCLUSIVE');
	is_closed($side, 'a verification that compares rows');
	$holder->quit;
	is(finished($node, $id), 'completed', 'it completes') or diag(explain(restore_row($id)));
	is(databases($node), 'postgres shop', 'and drops it');
}
foreach my $format ('parallel', 'plain')
{
	my $id = value("SELECT pgbackup.verify($backup{$format}, 'restore')");
	is(finished($node, $id), 'completed', "a $format backup is proved, too") or diag(explain(restore_row($id)));
	$id = start_restore($node, "$backup{$format}, 'copy'");
	is(finished($node, $id), 'completed', "and restored") or diag(explain(restore_row($id)));
	is(properties_of('copy'), $original, 'as open as the original');
	value('DROP DATABASE copy');
}

# Killed in the middle: the closed database, and no other, is dropped. The names that bob takes are what
# pgbackup's once were.
{
	hold();
	my $id = start_restore($node, "$backup{custom}, 'shop', replace => true");
	my ($side, $holder) = stopped_after_load($id, 'ANALYZE', 'SHARE UPDATE EXCLUSIVE');
	foreach my $name ("shop__restore_$id", "shop__before_restore_$id")
	{
		$node->safe_psql('postgres', qq{CREATE DATABASE "$name"}, extra_params => [ '-U', 'bob' ]);
	}
	kill 'KILL', agent_of($node, $id);
	is(finished($node, $id), 'failed', 'an agent is killed before it hands over');
	await_removals($node);
	$holder->{run}->finish;
	is(databases($node), "postgres shop shop__before_restore_$id shop__restore_$id", 'its database is gone, those of others are there');
	is(properties_of('shop'), $original, 'the target is as it was');

	my $next = $id + 1;
	$node->safe_psql('postgres', qq{CREATE DATABASE "shop__restore_$next"}, extra_params => [ '-U', 'bob' ]);
	$node->safe_psql('postgres', qq{CREATE DATABASE "shop__before_restore_$next"}, extra_params => [ '-U', 'bob' ]);
	is(start_restore($node, "$backup{custom}, 'shop', replace => true"), $next, 'the names of the next restore are taken');
	is(finished($node, $next), 'completed', 'which does not mind') or diag(explain(restore_row($next)));

	# Even a row that names the database of another role has it dropped by nobody.
	value(qq{UPDATE pgbackup.restores SET staging_database = 'shop__restore_$id' WHERE id = $id});
	value('SELECT count(*) FROM pgbackup.cleanup()');
	await_removals($node);
	is(value("SELECT count(*) FROM pg_database WHERE datname = 'shop__restore_$id'"), 1, 'cleanup drops only what a restore has made');
	drop_kept($node, '');
	value(qq{DROP DATABASE "$_"}) for map { ("shop__restore_$_", "shop__before_restore_$_") } $id, $next;
}
is(databases($node), 'postgres shop', 'nothing is left');

# Renaming a schema locks no table. While a backup copies the first range of a table, its owner puts a view in
# its place, with all the columns that a range asks for.
SKIP:
{
	skip 'this minor release does not restrict what a session reads', 4
	  if value(q{SELECT count(*) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'}) eq '0';
	my $file = $node->basedir . '/written_by_mallory';
	$node->safe_psql('shop', qq{
		SET SESSION AUTHORIZATION mallory;
		CREATE SCHEMA s;
		CREATE TABLE s.big (id int, t text);
		ALTER TABLE s.big ALTER t SET STORAGE EXTERNAL;
		INSERT INTO s.big SELECT i, (SELECT string_agg(md5(format('%s %s', i, j)), '') FROM generate_series(1, 50) j) FROM generate_series(1, 4000) i;
		CREATE FUNCTION public.evil() RETURNS int LANGUAGE plpgsql AS \$\$
			BEGIN
				EXECUTE 'COPY (SELECT 1) TO ' || quote_literal('$file');
				RETURN 1;
			EXCEPTION WHEN insufficient_privilege THEN
				RETURN 0;
			END \$\$;});
	restart_settings($node, 'pgbackup.bandwidth_limit' => '256', 'pgbackup.split_table_size' => '1024', 'pgbackup.parallel_threshold' => '0');
	my $id = start_backup($node, q{'shop', format => 'parallel', jobs => 1, compression => 'none'});
	my $copying = q{SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop' AND state = 'active' AND query ~ '^COPY \(SELECT .* FROM ONLY "s"."big"'};
	$node->poll_query_until('postgres', "$copying", '1') or die 'no range is copied';
	$node->safe_psql('shop', q{
		ALTER SCHEMA s RENAME TO t;
		CREATE SCHEMA s;
		CREATE VIEW s.big AS SELECT public.evil() AS id, 'x'::text AS t, '(0,1)'::tid AS ctid}, extra_params => [ '-U', 'mallory' ]);
	is(value(qq{SELECT status FROM pgbackup.backups WHERE id = $id}), 'in_progress', 'a view takes the place of a table that is being copied');
	is(finished($node, $id), 'failed', 'the backup fails');
	like(row_of($node, $id)->{message}, qr/access to non-system view "big" is restricted|table "s"\."big" got another name during the backup/, 'because it does not read views') or diag(explain(row_of($node, $id)));
	ok(!-e $file, 'and never runs their functions');
}
is(value('SELECT string_agg(rolname, chr(32)) FROM pg_roles WHERE rolsuper'), $superusers, 'nobody has become a superuser');
done_testing();
