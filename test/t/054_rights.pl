# What roles without the right to it try, and what comes of it: nothing. One attack after the other, each as an
# ordinary role.
use strict;
use warnings;

use FindBin;
use IPC::Run;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('rights', log_statement => 'none', autovacuum => 'off');
my $store = $node->basedir . '/store';
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
$node->safe_psql('postgres', join ';', 'CREATE ROLE olga LOGIN', 'CREATE ROLE mallory LOGIN', 'CREATE DATABASE shop OWNER olga',
	map { ("CREATE ROLE $_ LOGIN", "SELECT pgbackup.grant_access('$_', '$_')") } qw(viewer operator admin));
$node->safe_psql('shop', 'CREATE TABLE orders AS SELECT n, md5(n::text) AS note FROM generate_series(1, 1000) AS n');

sub as_role
{
	my ($role, $sql, $database) = @_;
	return $node->psql($database // 'postgres', $sql, extra_params => [ '-U', $role ]);
}

sub may
{
	my ($role, $sql, $database) = @_;
	my ($code, $out, $err) = as_role($role, $sql, $database);
	is($code, 0, "$role may: $sql") or diag($err);
	return $out;
}

sub may_not
{
	my ($role, $sql, $refused) = @_;
	my ($code, $out, $err) = as_role($role, $sql);
	like($err, qr/ERROR:\s+$refused/, "$role may not: $sql");
	return $err;
}

sub superusers { return $node->safe_psql('postgres', 'SELECT string_agg(rolname, $$,$$ ORDER BY rolname) FROM pg_roles WHERE rolsuper') }
my $superusers = superusers();

# A schema that somebody has prepared for the extension.
$node->safe_psql('postgres', 'CREATE DATABASE squatted OWNER mallory');
for my $case (
	[ 'the schema of another role', [ mallory => 'CREATE SCHEMA pgbackup' ], qr/belongs to role "mallory", which is not a superuser/ ],
	[
		'a function that the script would call',
		[ mallory => 'CREATE SCHEMA pgbackup', mallory => 'CREATE FUNCTION pgbackup.nextval(text) RETURNS bigint LANGUAGE sql AS $$ SELECT 1::bigint $$',
			$superuser => "ALTER SCHEMA pgbackup OWNER TO $superuser" ],
		qr/is not empty: it contains function pgbackup.nextval\(text\)/ ],
	[ 'a type', [ $superuser => 'CREATE SCHEMA pgbackup; CREATE TYPE pgbackup.text AS ENUM ()' ], qr/is not empty: it contains type pgbackup.text/ ],
	[ 'the right to create', [ $superuser => 'CREATE SCHEMA pgbackup; GRANT CREATE ON SCHEMA pgbackup TO mallory' ], qr/Others may create objects in it: mallory/ ],
	[ 'the right of everyone to create', [ $superuser => 'CREATE SCHEMA pgbackup; GRANT ALL ON SCHEMA pgbackup TO PUBLIC' ], qr/Others may create objects in it: PUBLIC/ ])
{
	my ($title, $statements, $detail) = @$case;
	for (my @left = @$statements; my ($role, $sql) = splice @left, 0, 2;)
	{
		my ($code, $out, $err) = as_role($role, $sql, 'squatted');
		is($code, 0, "$title: prepared") or diag($err);
	}
	my (undef, undef, $err) = $node->psql('squatted', 'CREATE EXTENSION pgbackup');
	like($err, qr/ERROR:\s+extension "pgbackup" cannot be created in the existing schema "pgbackup"/, "$title: no extension");
	like($err, qr/DETAIL:.*$detail/, 'the error says why');
	like($err, qr/HINT:.*ALTER SCHEMA pgbackup RENAME/, 'and what to do');
	$node->safe_psql('squatted', 'DROP SCHEMA pgbackup CASCADE');
}
for my $prepare ('CREATE SCHEMA pgbackup', 'DROP SCHEMA pgbackup', 'SELECT 1')
{
	$node->safe_psql('squatted', $prepare);
	is(($node->psql('squatted', 'CREATE EXTENSION pgbackup'))[0], 0, "$prepare: a schema that is empty, new, or left by DROP EXTENSION will do");
	$node->safe_psql('squatted', 'DROP EXTENSION pgbackup');
}

# What is planted outside of it is not found.
is($node->safe_psql('postgres', q{
	SELECT string_agg(p.oid::regprocedure::text, ', ')
	  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	 WHERE p.pronamespace = 'pgbackup'::regnamespace AND l.lanname <> 'c'
	   AND NOT coalesce(p.proconfig, '{}') @> ARRAY['search_path=pg_catalog, pg_temp']}), '',
	'every function has a search_path of its own');
is($node->safe_psql('postgres', q{
	SELECT string_agg(r.rolname, ', ') FROM pg_roles r
	 WHERE NOT r.rolsuper AND has_schema_privilege(r.rolname, 'pgbackup', 'CREATE')}), '', 'no role may create anything in the schema');

is($node->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.check() WHERE item = 'schema'}), 0, 'which check() has nothing to say about');
for my $role (qw(mallory PUBLIC))
{
	$node->safe_psql('postgres', "GRANT CREATE ON SCHEMA pgbackup TO $role");
	like($node->safe_psql('postgres', q{SELECT status, detail FROM pgbackup.check() WHERE item = 'schema'}),
		qr/^error\|other roles may create objects in schema "pgbackup": $role$/, "check() tells when $role may");
	$node->safe_psql('postgres', "REVOKE CREATE ON SCHEMA pgbackup FROM $role");
}

# A superuser's ANALYZE evaluates an index expression of the operator.
$node->safe_psql('postgres', 'CREATE SCHEMA oscar AUTHORIZATION operator');
my $backup = start_backup($node, q{'shop'});
is(finished($node, $backup), 'completed', 'a backup');
for my $call (
	"pgbackup.create('shop', storage => 'file://$store/elsewhere')", "pgbackup.create('shop')", "pgbackup.cancel($backup)",
	"pgbackup.pin($backup)", "pgbackup.verify($backup)", "pgbackup.schedule('nightly', '0 3 * * *')", "pgbackup.unschedule('nightly')",
	"pgbackup.wait($backup)", "(SELECT count(*) FROM pgbackup.contents($backup))")
{
	$node->safe_psql('postgres', 'DROP TABLE IF EXISTS oscar.bait; DROP FUNCTION IF EXISTS oscar.lure');
	my ($code, $out, $err) = as_role(operator => qq{CREATE TABLE oscar.bait AS SELECT 1 AS i;
		CREATE FUNCTION oscar.lure(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
		\$f\$ BEGIN PERFORM $call; RAISE WARNING 'done'; RETURN i; EXCEPTION WHEN OTHERS THEN RAISE WARNING 'caught: %', SQLERRM; RETURN i; END \$f\$;
		CREATE INDEX ON oscar.bait (oscar.lure(i))});
	is($code, 0, "bait for $call") or diag($err);
	my $log_start = -s $node->logfile;
	my $rows = 'SELECT (SELECT count(*) FROM pgbackup.backups), (SELECT count(*) FROM pgbackup.restores), (SELECT count(*) FROM pgbackup.named_schedules), '
	  . '(SELECT count(*) FROM pgbackup.cancellations), (SELECT count(*) FROM pgbackup.backups WHERE pinned)';
	my $before = $node->safe_psql('postgres', $rows);
	(undef, undef, $err) = $node->psql('postgres', 'ANALYZE oscar.bait; REINDEX TABLE oscar.bait');
	my $caught = () = $err =~ /WARNING:\s+caught: cannot use pgbackup within a security-restricted operation/g;
	cmp_ok($caught, '>=', 2, 'is refused in ANALYZE and REINDEX') or diag($err);
	unlike($err, qr/WARNING:\s+done/, 'and does not return');
	is($node->safe_psql('postgres', $rows), $before, 'no row has changed');
	unlike(slurp_file($node->logfile, $log_start), qr/asks to/, 'and the log blames no role for it');
}
$node->safe_psql('postgres', 'DROP SCHEMA oscar CASCADE');

# An operator who wants backups to go.
$node->safe_psql('postgres', "SELECT pgbackup.schedule('weekly', '0 3 * * sun', databases => 'shop')");
may(admin => "SELECT pgbackup.schedule('yearly', '0 3 1 1 *', databases => 'shop', retention_count => 5)");
may(operator => "SELECT pgbackup.pin($backup)");
my $err = may_not(operator => "SELECT pgbackup.pin($backup, false)", "permission denied to unpin backup $backup");
like($err, qr/DETAIL:\s+\S.*\n.*HINT:\s+Ask for the level admin/, 'the error explains and tells what to do');
may_not(operator => "SELECT pgbackup.schedule('weekly', '0 3 * * sun', databases => 'shop', retention_count => 1)", q{permission denied to change schedule 'weekly'});
may_not(operator => "SELECT pgbackup.schedule('weekly', '0 3 * * sun', databases => 'postgres')", q{permission denied to change schedule 'weekly'});
may_not(operator => "SELECT pgbackup.schedule('weekly', '0 3 * * sun', enabled => false)", q{permission denied to change schedule 'weekly'});
may_not(operator => "SELECT pgbackup.unschedule('weekly')", q{permission denied to drop schedule 'weekly'});
may_not(operator => "SELECT pgbackup.unschedule('yearly')", q{permission denied to drop schedule 'yearly'});
may_not(operator => "SELECT pgbackup.schedule('own', '0 4 * * *', retention_$_ => 1)", 'permission denied to set the retention of a schedule')
  for qw(count days daily weekly monthly yearly);
may_not(operator => "SELECT pgbackup.schedule('own', '0 4 * * *', retention_days => 0)", 'permission denied to set the retention of a schedule');
may_not(operator => "SELECT pgbackup.unschedule('none')", q{there is no schedule 'none'});
may(operator => "SELECT pgbackup.schedule('own', '0 4 * * *', databases => 'shop')");
may(operator => "SELECT pgbackup.schedule('own', '0 5 * * *', databases => 'shop')");
may(operator => "SELECT pgbackup.unschedule('own')");
may(operator => "SELECT pgbackup.schedule('own', '0 4 * * *', databases => 'shop')");
may(admin => "SELECT pgbackup.schedule('own', '0 5 * * *', databases => 'shop')");
is($node->safe_psql('postgres', q{SELECT created_by FROM pgbackup.named_schedules WHERE name = 'own'}), 'admin', 'a schedule that an administrator changes is his');
may_not(operator => "SELECT pgbackup.unschedule('own')", q{permission denied to drop schedule 'own'});
# The session's role does not count but the current one.
$node->safe_psql('postgres', 'CREATE ROLE pool LOGIN; GRANT operator, admin TO pool');
may(pool => "SET ROLE admin; SELECT pgbackup.schedule('pooled', '0 5 * * *', databases => 'shop')");
may_not(pool => "SET ROLE operator; SELECT pgbackup.unschedule('pooled')", q{permission denied to drop schedule 'pooled'});
# One that is dropped and made again meanwhile.
{
	my ($in, $out) = ("BEGIN; SELECT pgbackup.schedule('late', '0 6 * * *', databases => 'shop', retention_count => 9);\n", '');
	my $admin = IPC::Run::start([ 'psql', '-XAtq', '-U', 'admin', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	$in .= "SELECT 'made';\n";
	$admin->pump until $out =~ /made/;
	my ($to_operator, $said, $complained) = ("SELECT pgbackup.schedule('late', '0 6 * * *', databases => 'shop');\n\\q\n", '', '');
	my $operator = IPC::Run::start([ 'psql', '-XAtq', '-U', 'operator', '-d', $node->connstr('postgres') ], '<', \$to_operator, '>', \$said, '2>', \$complained,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	$operator->pump_nb;
	ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE usename = 'operator' AND wait_event_type = 'Lock'}),
		'the operator waits for the administrator');
	$in .= "COMMIT;\n\\q\n";
	$admin->finish;
	$operator->finish;
	like($complained, qr/permission denied to change schedule 'late'/, 'and changes nothing of what was made meanwhile');
	is($node->safe_psql('postgres', q{SELECT retention_count, created_by FROM pgbackup.named_schedules WHERE name = 'late'}), '9|admin', 'it is as the administrator made it');
}
is($node->safe_psql('postgres', "SELECT pinned FROM pgbackup.get($backup)"), 't', 'the backup is still pinned');
may(admin => "SELECT pgbackup.pin($backup, false)");

# Settings that name places, addresses and keys.
my @private = qw(storage storage_copies name_template identity_file passphrase_file s3_credentials_file s3_profile s3_ca_file
  s3_sse_c_key_file s3_kms_key_id s3_endpoint s3_proxy webhook_url_file webhook_template notify_email smtp_file
  restore_passkey dump_conninfo bin_directory pre_backup_command post_backup_command pre_backup_sql post_backup_sql);
for my $role (qw(mallory viewer))
{
	my ($code, $out) = as_role($role, q{SELECT string_agg(name, ' ') FROM pg_settings WHERE name LIKE 'pgbackup.%'});
	is(join(' ', grep { " $out " =~ / pgbackup\.$_ / } @private), '', "$role sees none of them in pg_settings");
	my @readable = grep { (as_role($role, "SHOW pgbackup.$_"))[0] == 0 } @private;
	is("@readable", '', 'and may not show one');
}
# What a viewer may read goes on to work.
for my $query (
	(map { "TABLE pgbackup.$_" } split /\n/, $node->safe_psql('postgres', q{
		SELECT relname FROM pg_class WHERE relnamespace = 'pgbackup'::regnamespace AND relkind IN ('r', 'v') AND relname NOT LIKE '\_%' ORDER BY 1})),
	(map { "SELECT * FROM pgbackup.$_()" } qw(list latest stats health schedule_status retention_plan dashboard metrics_text launcher_pid)),
	"SELECT * FROM pgbackup.get($backup)", "SELECT pgbackup.wait($backup)")
{
	may(viewer => $query);
}
is(may(viewer => q{SELECT enabled FROM pgbackup.schedules WHERE name = 'weekly'}), 't', 'and says what it said');
may(operator => q{SELECT * FROM pgbackup.check()});
may(operator => q{CALL pgbackup.run('shop')});

# A restore fails at a row: viewers may read how, but not the row.
restart_settings($node, 'pgbackup.split_table_size' => '1024', 'pgbackup.parallel_threshold' => '0');
$node->safe_psql('postgres', 'CREATE DATABASE vault');
$node->safe_psql('vault', q{
	CREATE TABLE small (id int, note text CONSTRAINT at_home CHECK (current_database() = 'vault'));
	INSERT INTO small VALUES (1, 'secret-1');
	CREATE TABLE large (id int, note text CONSTRAINT at_home CHECK (current_database() = 'vault'));
	INSERT INTO large SELECT n, 'secret-' || n || repeat(md5(n::text), 30) FROM generate_series(1, 4000) AS n});
for my $case ([ custom => 'small' ], [ parallel => 'large' ], [ plain => 'small' ])
{
	my ($format, $table) = @$case;
	my $source = start_backup($node, "'vault', format => '$format', tables => '{public.$table}'");
	is(finished($node, $source), 'completed', "$format: a backup");
	my $restore = start_restore($node, "$source, 'vault_$format'");
	is(finished($node, $restore), 'failed', "$format: rows that violate a constraint fail the restore");
	my $told = may(viewer => "SELECT message, detail, hint FROM pgbackup.restores WHERE id = $restore");
	like($told, qr/new row for relation "$table" violates check constraint "at_home"/, "$format: a viewer reads what failed where");
	unlike($told, qr/secret-|[0-9a-f]{32}/, "$format: and nothing of the row");
}

# The owner takes his database out of the backups.
$node->safe_psql('postgres', "UPDATE pgbackup.backups SET schedule = 'default', backup_type = 'scheduled' WHERE id = $backup");
sub shop_reasons { return $node->safe_psql('postgres', q{SELECT status, reasons FROM pgbackup.health() WHERE database = 'shop'}) }
sub selected { return $node->safe_psql('postgres', q{SELECT count(*) FROM pgbackup._select_databases('*') AS s (name) WHERE name = 'shop'}) }
unlike(shop_reasons(), qr/no longer backs up/, 'a covered database');
may(olga => 'ALTER DATABASE shop IS_TEMPLATE true');
is(selected(), 1, 'a template is backed up like any other database');
unlike(shop_reasons(), qr/no longer backs up/, 'and health has nothing to say about that');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgbackup._select_databases('*') AS s (name) WHERE name LIKE 'template_'}), 0, 'but template0 and template1');
may(olga => 'ALTER DATABASE shop IS_TEMPLATE false');
may(olga => 'ALTER DATABASE shop ALLOW_CONNECTIONS false', 'postgres');
is(selected(), 0, 'one without connections cannot be');
like(shop_reasons(), qr/^warning\|.*schedule \\"default\\" no longer backs up this database: it does not accept connections/, 'health tells');
like($node->safe_psql('postgres', 'SELECT pgbackup.metrics_text()'), qr/^pgbackup_health_status\{database="shop"\} 1$/m, 'and so do the metrics');
may(olga => 'ALTER DATABASE shop ALLOW_CONNECTIONS true', 'postgres');
unlike(shop_reasons(), qr/no longer backs up/, 'all is well again');
restart_settings($node, 'pgbackup.databases' => '*,-shop');
like(shop_reasons(), qr/schedule \\"default\\" no longer backs up this database: it is not selected/, 'health tells when it is not selected any more');
restart_settings($node, 'pgbackup.databases' => '*');
$node->safe_psql('postgres', "UPDATE pgbackup.backups SET schedule = 'gone' WHERE id = $backup");
unlike(shop_reasons(), qr/no longer backs up/, 'a schedule that was dropped is none to miss while another one covers the database');

# A launcher that cannot record anything.
restart_settings($node, 'pgbackup.schedule' => '0 0 1 1 *');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgbackup.schedule_states WHERE schedule = 'default'}), 'a schedule');
unlike(shop_reasons(), qr/nothing has been recorded/, 'whose time has not come');
is($node->safe_psql('postgres', q{
	BEGIN; LOCK TABLE pgbackup.schedule_states IN SHARE ROW EXCLUSIVE MODE;
	UPDATE pgbackup.schedule_states SET began = began - interval '2 years', since = since - interval '2 years' WHERE schedule = 'default';
	SELECT status, array_to_string(reasons, ';') ~ 'nothing has been recorded of schedule "default" since it was due at' FROM pgbackup.health() WHERE database = 'shop';
	ROLLBACK}), 'critical|t', 'a time that has come and was not recorded is critical');
restart_settings($node, 'pgbackup.schedule' => '');

# Any role can fill the queue of notifications.
my $limit = $node->safe_psql('postgres', 'SELECT current_setting($$server_version_num$$)::int') >= 170000 ? undef : '0.0000001';
if ($limit)
{
	# 8 GB of it take long to fill, so it counts as full a little earlier.
	$node->safe_psql('postgres', "CREATE OR REPLACE FUNCTION pgbackup._notify_limit() RETURNS double precision LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS 'SELECT ${limit}::double precision'");
}
else
{
	$node->append_conf('postgresql.conf', 'max_notify_queue_pages = 64');
	$node->restart;
}
my ($in, $out) = ("LISTEN noise; BEGIN; SELECT 1;\n", '');
my $idle = IPC::Run::start([ 'psql', '-XAtq', '-U', 'mallory', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out,
	IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
$idle->pump until $out =~ /1/;
my $noise = q{SELECT count(pg_notify('noise', repeat(chr(65 + n % 26), 7000) || n)) FROM generate_series(1, 10) AS n};
for (1 .. 100)
{
	last if (as_role(mallory => $noise))[0] != 0 || $limit;
}
cmp_ok($node->safe_psql('postgres', 'SELECT pg_notification_queue_usage()'), '>=', $limit // 0.5, 'an idle transaction has let the queue fill');
my $log_start = -s $node->logfile;
my $run = start_backup($node, q{'shop'});
is(finished($node, $run), 'completed', 'a backup completes') or diag(explain(row_of($node, $run)));
like(slurp_file($node->logfile, $log_start), qr/LOG:.*pgbackup: no notification for backup $run, status (?:pending|in_progress): the NOTIFY queue is [\d.]+ % full/, 'the log tells that there is no notification');
like(shop_reasons(), qr/^warning\|.*the NOTIFY queue is too full for notifications: [\d.]+ %/, 'and so does health');
$in .= "ROLLBACK;\n\\q\n";
$idle->finish;
as_role(mallory => "SELECT pg_notify('noise', '')") for 1 .. 2;
ok($node->poll_query_until('postgres', 'SELECT pg_notification_queue_usage() < pgbackup._notify_limit()'), 'the queue is empty again') if !$limit;

is(superusers(), $superusers, 'no role has become a superuser');
$node->stop;
done_testing();
