# No session of an ordinary role holds up a run for longer than a bound, and no setting of a database or
# a role decides about the sessions of a run.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Others wait as long as it takes, so that what ends a run is that it waits itself.
my $node = new_cluster('blocked', 'pgbackup.lock_wait_timeout' => '1s', 'pgbackup.lock_guard_timeout' => 0,
	'pgbackup.retry_count' => 0, 'pgbackup.retry_delay' => '1s', 'pgbackup.stall_timeout' => '1h');
$node->safe_psql('postgres', q{
	CREATE ROLE eve LOGIN; CREATE ROLE mallory LOGIN; CREATE ROLE clerk LOGIN CREATEROLE;
	CREATE DATABASE shop; CREATE DATABASE victim; CREATE DATABASE own OWNER mallory; CREATE DATABASE staffed});
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
$node->safe_psql('shop', 'CREATE SCHEMA eve AUTHORIZATION eve; GRANT CREATE ON DATABASE shop TO eve');

sub as_role
{
	my ($role, $database, $sql) = @_;
	return $node->safe_psql($database, $sql, extra_params => [ '-U', $role ]);
}

# A session of a role that is left in a transaction after what it has done.
sub open_transaction
{
	my ($role, $database, $sql) = @_;
	my $session = $node->background_psql($database, extra_params => [ '-U', $role ]);
	$session->query_safe("BEGIN; $sql");
	return $session;
}

sub leave
{
	my ($session) = @_;
	$session->query_safe('ROLLBACK');
	$session->quit;
	return;
}

sub completes
{
	my ($id, $title, $table) = @_;
	is(finished($node, $id), 'completed', $title) or diag(explain(row_of($node, $id, $table)));
	return;
}

sub databases
{
	return $node->safe_psql('postgres', 'SELECT string_agg(datname, chr(32) ORDER BY datname) FROM pg_database');
}

as_role('eve', 'shop', 'CREATE SEQUENCE eve.s; CREATE VIEW eve.v AS SELECT 1 a; CREATE MATERIALIZED VIEW eve.m AS SELECT 1 a');

# An open transaction stops pg_dump, which sets lock_timeout = 0 itself; the next database gets its turn.
for my $case (
	[ 'ALTER SEQUENCE eve.s RENAME TO s2', 'sequence "eve"."s"', 'ALTER SEQUENCE', 'custom' ],
	[ 'ALTER VIEW eve.v RENAME TO v2', 'view "eve"."v"', 'ALTER VIEW', 'parallel' ],
	[ 'ALTER MATERIALIZED VIEW eve.m RENAME TO m2', 'materialized view "eve"."m"', 'ALTER MATERIALIZED', 'plain' ])
{
	my ($sql, $relation, $kind, $format) = @$case;
	my $session = open_transaction('eve', 'shop', $sql);
	my $id = start_backup($node, "'shop', format => '$format'");
	my $next = start_backup($node, q{'victim'});
	ok($node->poll_query_until('postgres', "SELECT count(*) > 1 AND bool_and(application_name = 'pgbackup backup $id (confined)')
		FROM pg_stat_activity WHERE application_name LIKE 'pgbackup backup $id%'"), "$kind: all sessions of the run are shown as confined");
	is(finished($node, $id), 'failed', "$kind: the run ends");
	my $row = row_of($node, $id);
	like($row->{message}, qr/^waited \d+(\.\d)? s for a lock on \Q$relation\E because of process \d+$/, "$kind: saying what it waited for");
	like($row->{detail}, qr/^That session of role "eve" in "\S+" is idle in a transaction, and its last statement was $kind\.$/,
		"$kind: and whose transaction that is");
	like($row->{hint}, qr/pgbackup\.lock_wait_timeout/, "$kind: and what to do");
	is($row->{sqlstate}, '55P03', "$kind: with a SQLSTATE");
	completes($next, "$kind: the database behind it is backed up");
	leave($session);
	completes(start_backup($node, "'shop', format => '$format'"), "$kind: so is this one once the transaction has ended");
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgbackup backup %'}), 0,
	'no session of a run is left');

# Such a run is tried again.
restart_settings($node, 'pgbackup.retry_count' => 3);
my $session = open_transaction('eve', 'shop', 'ALTER SEQUENCE eve.s RENAME TO s2');
my $id = start_backup($node, q{'shop'});
is(finished($node, $id), 'failed', 'a run that waited');
leave($session);
my $retry = $node->safe_psql('postgres', "SELECT min(id) FROM pgbackup.backups WHERE retry_of = $id");
completes($retry, 'is tried again');
restart_settings($node, 'pgbackup.retry_count' => 0);

# What the owner of a database sets for it decides nothing about the sessions of a run. With a
# serializable transaction about, a deferrable one waits for a safe snapshot for as long as that lasts.
as_role('mallory', 'own', 'CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) i; CREATE INDEX ON t (i); CREATE SEQUENCE s');
as_role('mallory', 'postgres', q{
	ALTER DATABASE own SET default_transaction_isolation = 'serializable';
	ALTER DATABASE own SET default_transaction_read_only = on;
	ALTER DATABASE own SET default_transaction_deferrable = on});
my $writer = $node->background_psql('own', extra_params => [ '-U', 'mallory' ]);
$writer->query_safe('BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE; INSERT INTO t VALUES (0)');
for my $format ('custom', 'parallel', 'plain')
{
	completes(start_backup($node, "'own', format => '$format'"), "$format: a database that is serializable, read only and deferrable");
}
leave($writer);
{
	# The test's own sessions have to get through, too.
	local $ENV{PGOPTIONS} = '-c role=none -c statement_timeout=0 -c idle_session_timeout=0 -c local_preload_libraries=';
	as_role('mallory', 'postgres', q{
		ALTER DATABASE own SET role = mallory;
		ALTER DATABASE own SET statement_timeout = '1ms';
		ALTER DATABASE own SET lock_timeout = '1ms';
		ALTER DATABASE own SET idle_in_transaction_session_timeout = '1ms';
		ALTER DATABASE own SET idle_session_timeout = '1ms';
		ALTER DATABASE own SET exit_on_error = on;
		ALTER DATABASE own SET local_preload_libraries = 'nothing'});
	as_role('mallory', 'postgres', q{ALTER DATABASE own SET transaction_timeout = '1ms'})
	  if $node->safe_psql('postgres', 'SHOW server_version_num') >= 170000;
	for my $format ('custom', 'parallel', 'plain')
	{
		$id = start_backup($node, "'own', format => '$format'");
		completes($id, "$format: with a role, timeouts and a library");
		completes($node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')"), "$format: which is verified", 'restores');
		completes(start_restore($node, "$id, 'again_$format'"), "$format: and restored", 'restores');
		# Its settings have come, too, and would end this session.
		$node->safe_psql('postgres', "ALTER DATABASE again_$format RESET ALL");
		is($node->safe_psql("again_$format", 'SELECT count(*) FROM t'), 1000, "$format: with its rows");
	}
	$node->safe_psql('postgres', 'ALTER DATABASE own RESET ALL');
}

# Nor does a setting of the role that dumps.
my $user = $node->safe_psql('postgres', 'SELECT current_user');
$node->safe_psql('postgres', qq{ALTER ROLE "$user" IN DATABASE shop SET $_ = '1ms'}) for ('statement_timeout', 'lock_timeout');
completes(start_backup($node, q{'shop', format => 'parallel'}), 'a role with timeouts');
$node->safe_psql('postgres', qq{ALTER ROLE "$user" IN DATABASE shop RESET ALL});

# Nor one of the home database, also for the launcher.
{
	local $ENV{PGOPTIONS} = '-c role=none -c default_transaction_isolation=read\ committed -c default_transaction_read_only=off'
	  . ' -c statement_timeout=0 -c idle_session_timeout=0';
	my $has_transaction_timeout = $node->safe_psql('postgres', 'SHOW server_version_num') >= 170000;
	$ENV{PGOPTIONS} .= ' -c transaction_timeout=0' if $has_transaction_timeout;
	$node->safe_psql('postgres', "ALTER DATABASE postgres SET $_") for (
		'role = eve', q{default_transaction_isolation = 'serializable'}, 'default_transaction_read_only = on',
		'default_transaction_deferrable = on', q{statement_timeout = '1ms'}, q{idle_session_timeout = '1ms'});
	$node->safe_psql('postgres', q{ALTER DATABASE postgres SET transaction_timeout = '1ms'}) if $has_transaction_timeout;
	my $launcher = launcher_pid($node);
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($launcher)");
	wait_until(sub { my $pid = launcher_pid($node); $pid ne '' && $pid ne $launcher }, 'a new launcher');
	completes(start_backup($node, q{'shop'}), 'a home database with a role and timeouts, after the launcher has been started anew');
	completes(start_backup($node, q{'postgres'}), 'which is backed up itself');
	$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET ALL');
}

# An owner who renames a database and does not commit keeps all new sessions out of it.
$node->safe_psql('postgres', 'ALTER ROLE mallory CREATEDB');
restart_settings($node, 'pgbackup.dump_conninfo' => 'connect_timeout=2');
$session = open_transaction('mallory', 'postgres', 'ALTER DATABASE own RENAME TO other');
$id = start_backup($node, q{'own'});
my $next = start_backup($node, q{'victim'});
is(finished($node, $id), 'failed', 'a database that lets nobody in: the run ends');
my $row = row_of($node, $id);
like($row->{message}, qr/^could not connect to database "own" because of process \d+$/, 'saying why');
like($row->{detail}, qr/^That session of role "mallory" in "\S+" is idle in a transaction, and its last statement was ALTER DATABASE\.$/,
	'and whose transaction that is');
is($row->{sqlstate}, '55P03', 'it is worth another try');
completes($next, 'the database behind it is backed up');
leave($session);
restart_settings($node, 'pgbackup.dump_conninfo' => '');
completes(start_backup($node, q{'own'}), 'so is this one afterwards');

# Restores and verifications wait for others no longer than backups. On the way is a transaction that drops
# a role, which the restore gives a table to.
as_role('clerk', 'postgres', 'CREATE ROLE bob');
$node->safe_psql('staffed', 'CREATE TABLE t (a int); ALTER TABLE t OWNER TO bob; INSERT INTO t VALUES (1)');
my $staffed = start_backup($node, q{'staffed'});
completes($staffed, 'a backup');
$node->safe_psql('postgres', 'DROP DATABASE staffed');
my $before = databases();
$session = open_transaction('clerk', 'postgres', 'DROP ROLE bob');
for my $case ([ 'restore', "SELECT pgbackup.restore($staffed, 'staffed')" ], [ 'verification', "SELECT pgbackup.verify($staffed, 'restore')" ])
{
	my ($kind, $sql) = @$case;
	$id = $node->safe_psql('postgres', $sql);
	is(finished($node, $id), 'failed', "a $kind that somebody holds up ends");
	my $row = row_of($node, $id, 'restores');
	like($row->{message}, qr/^waited \d+(\.\d)? s for a lock of type object because of process \d+$/, 'saying what it waited for');
	like($row->{detail}, qr/^That session of role "clerk" in "\S+" is idle in a transaction, and its last statement was DROP/,
		'and whose transaction that is');
	is($row->{sqlstate}, '55P03', 'with a SQLSTATE');
	is(databases(), $before, 'and its database is gone');
}
leave($session);
completes($node->safe_psql('postgres', "SELECT pgbackup.verify($staffed, 'restore')"), 'the next verification completes', 'restores');
completes(start_restore($node, "$staffed, 'staffed'"), 'and the next restore', 'restores');

# The same within the target: a schema of the same name that is not committed.
my $shop = start_backup($node, q{'shop'});
completes($shop, 'a backup');
$session = open_transaction('eve', 'shop', 'CREATE SCHEMA beside');
$id = start_restore($node, "$shop, 'shop', into_schema => 'beside', tables => '{stock.items}'");
is(finished($node, $id), 'failed', 'a restore into a schema that somebody holds up ends');
like(row_of($node, $id, 'restores')->{message}, qr/^waited \d+(\.\d)? s for a lock of type transactionid because of process \d+$/,
	'saying what it waited for');
leave($session);
completes(start_restore($node, "$shop, 'shop', into_schema => 'beside', tables => '{stock.items}'"), 'the next one completes', 'restores');

# Without any progress: a constraint that sleeps, or never ends, when it is not in its own database.
for my $case ([ 'PERFORM pg_sleep(86400)', 2 ], [ 'LOOP END LOOP', 1 ])
{
	my ($trick, $limit) = @$case;
	as_role('eve', 'shop', qq{
		CREATE FUNCTION eve.slow() RETURNS boolean LANGUAGE plpgsql AS
			'BEGIN IF current_database() <> ''shop'' THEN $trick; END IF; RETURN true; END';
		CREATE TABLE eve.slow (a int CHECK (eve.slow()));
		INSERT INTO eve.slow VALUES (1)});
	$id = start_backup($node, q{'shop'});
	completes($id, "$trick: a backup");
	restart_settings($node, 'pgbackup.stall_timeout' => $limit);
	for my $kind ('restore', 'verification')
	{
		my $run = $node->safe_psql('postgres',
			$kind eq 'restore' ? "SELECT pgbackup.restore($id, 'copy')" : "SELECT pgbackup.verify($id, 'restore')");
		is(finished($node, $run), 'failed', "$trick: a $kind ends");
		my $row = row_of($node, $run, 'restores');
		like($row->{message}, qr/^no progress within pgbackup\.stall_timeout \($limit s\), in phase ".+"$/, "$trick: saying why");
		isnt($row->{hint}, '', "$trick: and what to do");
	}
	restart_settings($node, 'pgbackup.stall_timeout' => 3600);
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_database WHERE datname LIKE '%restore%'})
	  or fail("$trick: a database is left");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%slow%' AND pid <> pg_backend_pid()}), 0,
		"$trick: no session is left");
	as_role('eve', 'shop', 'DROP TABLE eve.slow; DROP FUNCTION eve.slow()');
}
$id = start_backup($node, q{'shop'});
completes($id, 'without such a constraint');
completes($node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')"), 'a verification completes', 'restores');
completes(start_restore($node, "$id, 'copy'"), 'and a restore', 'restores');

$node->stop;
done_testing();
