# The launcher runs nothing as a superuser that belongs to a role that is none: a role that created the extension as
# a superuser and has been demoted since gains nothing by it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('node', 'pgbackup.retry_count' => 0, 'pgbackup.databases' => 'postgres');

sub value { return $node->safe_psql('postgres', $_[0]) }

sub as_mallory { return $node->psql('postgres', $_[0], extra_params => [ '-U', 'mallory' ]) }

sub no_gain
{
	my ($title) = @_;
	is(value(q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}), 'f', "$title: mallory is no superuser");
	return;
}

sub completes
{
	my ($title) = @_;
	my $id = start_backup($node, q{'postgres'});
	is(finished($node, $id), 'completed', "$title: a backup completes") or diag(explain(row_of($node, $id)));
	return $id;
}

sub launcher_detail { return value(q{SELECT detail FROM pgbackup.check() WHERE item = 'launcher' AND status = 'error'}) }

# mallory creates the extension, and is demoted.
my $bootstrap = value('SELECT rolname FROM pg_roles WHERE oid = 10');
value('CREATE ROLE mallory SUPERUSER LOGIN; GRANT CREATE ON DATABASE postgres TO mallory; DROP EXTENSION pgbackup');
is((as_mallory('CREATE EXTENSION pgbackup'))[0], 0, 'a superuser creates the extension');
value('ALTER ROLE mallory NOSUPERUSER');
is(value(q{
		SELECT string_agg(o.what, ', ') FROM pg_extension e, LATERAL (
			SELECT pg_describe_object(d.classid, d.objid, 0) AS what
			  FROM pg_depend d
			  LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
			  LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
			  LEFT JOIN pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
			  LEFT JOIN pg_namespace n ON d.classid = 'pg_namespace'::regclass AND n.oid = d.objid
			 WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
			   AND coalesce(p.proowner, c.relowner, t.typowner, n.nspowner) IS DISTINCT FROM 10) AS o
		 WHERE e.extname = 'pgbackup'}), '', 'all of it is the bootstrap superuser\'s');
my $evil = 'LANGUAGE plpgsql AS $$BEGIN ALTER ROLE mallory SUPERUSER; RETURN 0.5; END$$';
for my $attack (
	"CREATE OR REPLACE FUNCTION pgbackup._notify_limit() RETURNS double precision $evil",
	'CREATE OR REPLACE VIEW pgbackup._running_schedules AS SELECT 1 AS x',
	'CREATE FUNCTION pgbackup.round(numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT 1.0 $$',
	'CREATE RULE r AS ON UPDATE TO pgbackup.backups DO ALSO SELECT 1',
	'ALTER FUNCTION pgbackup._notify() OWNER TO mallory',
	'ALTER EXTENSION pgbackup DROP FUNCTION pgbackup._notify()')
{
	like((as_mallory($attack))[2], qr/ERROR:  +(must be owner of|permission denied for schema pgbackup)/, "refused: $attack");
}
completes('demoted');
no_gain('demoted');
like(value(q{SELECT detail FROM pgbackup.check() WHERE item = 'extension'}), qr/^it belongs to role "mallory", which is not a superuser and can drop it$/,
	'check() says what it still can do');

# It drops the extension, and puts something like it in its place.
# The schema is that of an extension that is older than this rule.
value('ALTER SCHEMA pgbackup OWNER TO mallory');
my ($code, undef, $err) = as_mallory(qq{
	BEGIN;
	DROP EXTENSION pgbackup;
	CREATE FUNCTION pgbackup._notify_limit() RETURNS double precision $evil;
	CREATE FUNCTION pgbackup._sync_schedules(timestamptz) RETURNS TABLE (name text, cron text, timezone text, delay bigint, since timestamptz)
		LANGUAGE plpgsql AS \$\$BEGIN ALTER ROLE mallory SUPERUSER; END\$\$;
	CREATE TABLE pgbackup.cancellations (run_id bigint, requested_by name);
	CREATE FUNCTION pgbackup.gain() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN ALTER ROLE mallory SUPERUSER; RETURN OLD; END\$\$;
	CREATE TRIGGER gain BEFORE DELETE ON pgbackup.cancellations FOR EACH ROW EXECUTE FUNCTION pgbackup.gain();
	INSERT INTO pgbackup.cancellations VALUES (1, 'mallory');
	COMMIT});
is($code, 0, 'a schema takes the place of the extension') or diag($err);
my $launcher = value(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgbackup launcher'});
value('SELECT pg_reload_conf()');
value("SELECT pg_terminate_backend($launcher)");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'pgbackup launcher' AND pid <> $launcher") or die;
no_gain('the schema of another');
value('DROP SCHEMA pgbackup CASCADE; DROP EXTENSION IF EXISTS pgbackup; CREATE EXTENSION pgbackup');
completes('the extension is back');
no_gain('the extension is back');

# An extension that is older than that rule: objects that are mallory's.
for my $case (
	[ 'function pgbackup._notify_limit()', 'FUNCTION pgbackup._notify_limit()', "CREATE OR REPLACE FUNCTION pgbackup._notify_limit() RETURNS double precision $evil" ],
	[ 'view pgbackup._running_schedules', 'VIEW pgbackup._running_schedules', undef ],
	[ 'table pgbackup.removals', 'TABLE pgbackup.removals', undef ],
	[ 'schema pgbackup', 'SCHEMA pgbackup', 'CREATE FUNCTION pgbackup.round(numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT 1.0 $$' ])
{
	my ($object, $sql, $attack) = @$case;
	my $was = value(q{SELECT pg_get_functiondef('pgbackup._notify_limit'::regproc)});
	value("ALTER $sql OWNER TO mallory; GRANT ALL ON SCHEMA pgbackup TO mallory");
	is((as_mallory($attack))[0], 0, "$object: its owner can change it") if defined $attack;
	value("SELECT pg_reload_conf()");
	$node->poll_query_until('postgres', q{SELECT errors > 0 FROM pgbackup._launcher_trouble()}) or die;
	like(launcher_detail(), qr/: (\Q$object\E|function pgbackup\.round\(numeric\)) belongs to role "mallory", which is not a superuser, so the launcher runs nothing of pgbackup$/,
		"$object: check() names it and the role");
	no_gain($object);
	value("ALTER $sql OWNER TO $bootstrap; REVOKE ALL ON SCHEMA pgbackup FROM mallory");
	value('DROP FUNCTION IF EXISTS pgbackup.round(numeric)');
	value($was);
	value('SELECT pg_reload_conf()');
	completes("$object: when it is a superuser's");
	no_gain($object);
}

# A function of mallory's that a trigger of a superuser calls.
is((as_mallory('CREATE SCHEMA m; CREATE FUNCTION m.told() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN ALTER ROLE mallory SUPERUSER; RETURN NEW; END$$'))[0],
	0, 'a function');
value('CREATE TRIGGER told AFTER UPDATE ON pgbackup.backups FOR EACH ROW EXECUTE FUNCTION m.told()');
my $waiting = start_backup($node, q{'postgres'});
value('SELECT pg_reload_conf()');
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pgbackup.check() WHERE item = 'launcher' AND detail LIKE '%function m.told() belongs to role "mallory"%'}) or die;
no_gain('a trigger');
value('DROP TRIGGER told ON pgbackup.backups; SELECT pg_reload_conf()');
is(finished($node, $waiting), 'completed', 'without it all goes on');

# The bootstrap superuser may have another name.
value('CREATE ROLE other SUPERUSER LOGIN');
$node->safe_psql('postgres', qq{ALTER ROLE "$bootstrap" RENAME TO "the first"}, extra_params => [ '-U', 'other' ]);
my $renamed = $node->safe_psql('postgres', q{SELECT pgbackup.create('postgres')}, extra_params => [ '-U', 'other' ]);
is($node->safe_psql('postgres', "SELECT pgbackup.wait($renamed, '60 s')", extra_params => [ '-U', 'other' ]), 'completed', 'a renamed owner is the same');
$node->safe_psql('postgres', qq{ALTER ROLE "the first" RENAME TO "$bootstrap"}, extra_params => [ '-U', 'other' ]);
no_gain('in the end');
$node->stop;
done_testing();
