# Expressions that the owners of tables, domains and views have written get no superuser's rights from
# dumps, restores and verifications, in no format and on no way.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('confined', 'pgbackup.split_table_size' => '1MB', 'max_locks_per_transaction' => 128);

sub as_mallory
{
	my ($database, $sql) = @_;
	return $node->safe_psql($database, $sql, extra_params => [ '-U', 'mallory' ]);
}

# Runs SQL in a session with the setting: its exit status, output and errors.
sub confined
{
	my ($database, $sql, $role) = @_;
	local $ENV{PGOPTIONS} = '-c pgbackup.confined=on';
	my ($out, $err) = ('', '');
	my $status = $node->psql($database, $sql, stdout => \$out, stderr => \$err, on_error_stop => 1,
		extra_params => defined $role ? [ '-U', $role ] : []);
	return ($status, $out, $err);
}

sub databases
{
	return $node->safe_psql('postgres', q{SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database});
}

# Nothing that an attack would leave: no role, no superuser, no large object in these databases.
sub nothing_happened
{
	my ($what, @databases) = @_;
	is($node->safe_psql('postgres', q{SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'pwn%' OR rolsuper}),
		$node->safe_psql('postgres', q{SELECT rolname FROM pg_roles WHERE oid = 10}), "$what: no rights were gained");
	is($node->safe_psql($_, 'SELECT count(*) FROM pg_largeobject_metadata WHERE oid = 888888'), 0, "$what: nothing was written in $_")
	  for 'postgres', @databases;
	# What is found once is not to be found again.
	for my $role (split /\n/, $node->safe_psql('postgres', q{SELECT rolname FROM pg_roles WHERE rolname LIKE 'pwn%'}))
	{
		$node->safe_psql('postgres', "DROP ROLE $role");
	}
	$node->safe_psql('postgres', 'ALTER ROLE mallory NOSUPERUSER');
	return;
}

sub completes
{
	my ($run, $what) = @_;
	is(finished($node, $run), 'completed', $what) or diag(explain(row_of($node, $run, 'restores')));
	return;
}

sub finds_its_rows
{
	my ($database) = @_;
	is($node->safe_psql($database, 'SELECT count(*) FROM mallory.big'), 20000, "$database has rows that were loaded in parts");
	is($node->safe_psql($database, 'SELECT count(*) FROM hidden.table'), 1, 'and of a table that its owner cannot reach');
	is($node->safe_psql($database, 'SELECT d FROM mallory.zdates'), '2026-05-06', 'and those after a change of DateStyle are right');
	is($node->safe_psql($database, 'SELECT count(*) FROM public.sum_of_seen'), 1, 'and a materialized view over a view of another role');
	return;
}

$node->safe_psql('postgres', q{CREATE ROLE mallory LOGIN});
$node->safe_psql('postgres', q{CREATE DATABASE shop});
$node->safe_psql('shop', q{
	CREATE SCHEMA mallory AUTHORIZATION mallory;
	CREATE SCHEMA hidden;
	GRANT USAGE, CREATE ON SCHEMA hidden TO mallory});
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-U', 'mallory', '-d', $node->connstr('shop'), '-f', fixture('fixtures/attacks.sql') ],
	'the attacks are in place');
as_mallory('shop', 'CREATE VIEW mallory.harmless AS SELECT a FROM mallory.indexed');
$node->safe_psql('shop', q{
	REVOKE ALL ON SCHEMA hidden FROM mallory;
	-- A superuser's own tables that use what mallory has made
	CREATE TABLE public.trusting (a int CHECK (mallory.pwn('trusting')), b mallory.evil);
	INSERT INTO public.trusting VALUES (1, 1);
	CREATE TABLE public.root (a int) PARTITION BY RANGE (a);
	CREATE TABLE public.leaf PARTITION OF public.root FOR VALUES FROM (0) TO (10);
	INSERT INTO public.root VALUES (1);
	ALTER TABLE public.leaf OWNER TO mallory;
	CREATE MATERIALIZED VIEW public.sum_of_seen AS SELECT sum(a) FROM mallory.harmless;
	-- His own volatile function may be called, and may call what it likes.
	CREATE FUNCTION public.careful(int) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM set_config('confined.test', 'x', false), random();
		RETURN true;
	END $$;
	CREATE TABLE public.careful (a int CHECK (public.careful(a)));
	INSERT INTO public.careful VALUES (1)});
as_mallory('shop', q{ALTER TABLE public.leaf ADD CHECK (CASE WHEN current_user <> 'mallory' THEN a > 0 AND mallory.pwn('leaf') ELSE true END)});
# Making the table, the superuser has called functions of mallory's.
$node->safe_psql('postgres', "DROP ROLE IF EXISTS $_") for map { "pwn_$_" } qw(trusting domain leaf);
$node->safe_psql('postgres', 'ALTER ROLE mallory NOSUPERUSER');
my $before = databases();
# All but what needs the cast, which belongs to no schema.
my $tables = '{' . join(',', map { "mallory.$_" } split /\n/, $node->safe_psql('shop', q{SELECT relname FROM pg_class
	WHERE relnamespace = 'mallory'::regnamespace AND relkind IN ('r', 'p') AND relname NOT IN ('referencing', 'compared')})) . '}';

for my $format (qw(custom parallel plain))
{
	my $id = start_backup($node, "'shop', format => '$format'");
	is(finished($node, $id), 'completed', "a backup, $format") or diag(explain(row_of($node, $id)));
	nothing_happened("backup, $format", 'shop');

	completes($node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')"), "is verified by restoring it, $format");
	nothing_happened("verify, $format");
	is(databases(), $before, 'and the scratch database is gone');

	completes(start_restore($node, "$id, 'restored'"), "is restored, $format");
	nothing_happened("restore, $format", 'restored');
	finds_its_rows('restored');

	completes(start_restore($node, "$id, 'restored', replace => true"), "replaces a database, $format");
	nothing_happened("replace, $format", 'restored');
	finds_its_rows('restored');

	if ($format ne 'plain')
	{
		$node->safe_psql('postgres', 'CREATE DATABASE other TEMPLATE shop');
		completes(start_restore($node, "$id, 'other', tables => '$tables', into_schema => 'recovered'"), "goes into a schema, $format");
		nothing_happened("into_schema, $format", 'other');
		is($node->safe_psql('other', 'SELECT count(*) FROM recovered.big'), 20000, 'and its rows are there');
		$node->safe_psql('postgres', 'DROP DATABASE other');
	}
	for my $database (split /\n/, $node->safe_psql('postgres', q{SELECT datname FROM pg_database WHERE datname LIKE 'restored%'}))
	{
		$node->safe_psql('postgres', qq{DROP DATABASE "$database"});
	}
}

# Rights that owners got by grants are theirs before rows are loaded, but in a script, which grants last.
$node->safe_psql('postgres', 'CREATE DATABASE granted');
$node->safe_psql('granted', q{
	CREATE SCHEMA mallory AUTHORIZATION mallory;
	CREATE SCHEMA lib;
	GRANT USAGE ON SCHEMA lib TO mallory;
	CREATE TABLE lib.allowed AS SELECT 1 AS a;
	GRANT SELECT ON lib.allowed TO mallory});
as_mallory('granted', q{
	CREATE FUNCTION mallory.is_allowed(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN $1 IN (SELECT a FROM lib.allowed); END $$;
	CREATE TABLE mallory.t (a int CHECK (mallory.is_allowed(a)));
	INSERT INTO mallory.t VALUES (1)});
for my $format (qw(custom plain))
{
	my $id = start_backup($node, "'granted', format => '$format'");
	is(finished($node, $id), 'completed', "a backup whose rows need grants, $format");
	my $run = $node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')");
	is(finished($node, $run), $format eq 'plain' ? 'failed' : 'completed', "is restored, unless it is plain: $format")
	  or diag(explain(row_of($node, $run, 'restores')));
	like(row_of($node, $run, 'restores')->{hint}, qr/format plain grants privileges after it has loaded the rows/, 'with the reason') if $format eq 'plain';
}

# What is refused because nothing tells whose expression it is: a constant whose input checks a domain,
# read while something is defined, and a view that a query of the session reads.
$node->safe_psql('postgres', 'CREATE DATABASE literal');
$node->safe_psql('literal', 'CREATE SCHEMA mallory AUTHORIZATION mallory');
as_mallory('literal', q{
	CREATE DOMAIN mallory.writer AS int CHECK (CASE WHEN current_user <> 'mallory' THEN lo_create(888888) > 0 ELSE true END);
	CREATE DOMAIN mallory.asking AS int CHECK (query_to_xml('SELECT 1', true, true, '') IS NOT NULL);
	CREATE DOMAIN mallory.reading AS int CHECK (table_to_xml('pg_class', true, true, '') IS NOT NULL);
	CREATE DOMAIN mallory.timed AS timestamptz CHECK (VALUE < clock_timestamp() + interval '1 year')});
for my $case (
	[ 'a default', q{CREATE TABLE mallory.t (a mallory.writer[] DEFAULT '{1}')} ],
	[ 'a default of a function', q{CREATE FUNCTION mallory.f(a mallory.asking[] DEFAULT '{1}') RETURNS int LANGUAGE sql AS 'SELECT 1'} ],
	[ 'a view', q{CREATE VIEW mallory.v AS SELECT '{1}'::mallory.writer[] AS a} ],
	[ 'a materialized view', q{CREATE MATERIALIZED VIEW mallory.m AS SELECT '{1}'::mallory.reading[] AS a WITH NO DATA} ],
	[ 'a query', q{SELECT '{1}'::mallory.writer[]} ])
{
	my ($what, $sql) = @$case;
	my ($status, $out, $err) = confined('literal', $sql);
	isnt($status, 0, "$what with a constant of a domain that calls what a superuser may is refused");
	like($err, qr/function (lo_create|query_to_xml|table_to_xml).* cannot be called with superuser rights in this session/, 'with the reason');
}
is((confined('literal', q{CREATE TABLE mallory.t (a mallory.timed[] DEFAULT '{2026-01-01}')}))[0], 0, 'one that asks for the time is not');
as_mallory('literal', 'CREATE VIEW mallory.seen AS SELECT lo_create(888888)');
like((confined('literal', 'SELECT * FROM mallory.seen'))[2], qr/function lo_create.* cannot be called/, 'nor is a view of another role evaluated');
like((confined('literal', q{SELECT table_to_xml('mallory.seen', true, true, '')}))[2], qr/function lo_create.* cannot be called/, 'not within a function either');
nothing_happened('constants and views', 'literal');

# A function of another role may do what its owner may, but not give rights, and not change settings
# that outlast it.
$node->safe_psql('postgres', 'CREATE ROLE bob LOGIN');
$node->safe_psql('literal', 'CREATE SCHEMA bob AUTHORIZATION bob; GRANT USAGE ON SCHEMA bob TO PUBLIC');
$node->safe_psql('literal', q{
	CREATE FUNCTION bob.run(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN EXECUTE $1; RETURN true; END $$;
	CREATE FUNCTION bob.sets() RETURNS boolean LANGUAGE plpgsql SET work_mem = '1MB' AS $$
	BEGIN PERFORM set_config('search_path', 'bob', false); RETURN true; END $$;
	CREATE TABLE bob.one AS SELECT 1 AS a;
	CREATE TABLE bob.guarded (a int);
	ALTER TABLE bob.guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY}, extra_params => [ '-U', 'bob' ]);
is((confined('literal', q{SELECT bob.run('SELECT set_config(''search_path'', ''bob'', false)'); SHOW search_path}))[1] =~ /bob/, '',
	'a setting that a function changes is put back');
like((confined('literal', q{SELECT bob.run('GRANT bob TO mallory')}))[2], qr/GRANT ROLE is not allowed in a function of another role/, 'it cannot grant');
like((confined('literal', q{SELECT bob.sets()}))[2], qr/settings cannot be changed here/, 'nor change settings behind its own');
is((confined('literal', q{SELECT bob.run('SELECT 1/(current_user = ''bob'')::int')}))[0], 0, 'and runs as its owner');
like((confined('literal', q{SELECT bob.run('RESET ROLE')}))[2], qr/cannot set parameter "role" within/, 'it cannot end that');
is((confined('literal', q{SELECT bob.run('SELECT 1/(current_setting(''is_superuser'') = ''off'')::int'); SHOW is_superuser}))[1], "t\non",
	'nobody is a superuser there');
is((confined('literal', q{DO $$BEGIN PERFORM bob.run('SELECT 1/0'); EXCEPTION WHEN division_by_zero THEN END$$; SHOW is_superuser}))[1], 'on',
	'which also ends with an error');
is((confined('literal', qq{\\set ON_ERROR_STOP 0\nALTER TABLE bob.one ADD CHECK (bob.run('SELECT 1/0')); SHOW is_superuser}))[1], 'on',
	'and with that of a statement');
is((confined('literal', q{SET row_security = off; SELECT bob.run('SELECT 1/(count(*) = 0)::int FROM bob.guarded')}))[1], 't',
	'a policy applies to it, which is no error');

# Another owner, another function of the same name: what is remembered of functions is not of another time.
is((confined('literal', q{
	CREATE FUNCTION bob.whose() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN current_user; END';
	ALTER FUNCTION bob.whose() OWNER TO bob;
	SELECT bob.whose();
	ALTER FUNCTION bob.whose() OWNER TO mallory;
	SELECT bob.whose()}))[1], "bob\nmallory", 'a new owner counts at once');

# The setting is not a way to run functions as their owners.
my ($status, $out, $err) = confined('literal', q{SELECT bob.run('CREATE TABLE bob.made()')}, 'mallory');
like($err, qr/permission denied for schema bob/, 'an ordinary role that sets it calls functions as itself');
($status, $out, $err) = $node->psql('literal', 'SET pgbackup.confined = on');
like($err, qr/cannot be set after connection start/, 'it cannot be set later');
is($node->safe_psql('postgres', q{SELECT pgbackup.is_confined()}), 'f', 'a session of one\'s own is not confined');
is((confined('postgres', q{SELECT pgbackup.is_confined()}))[1], 't', 'one with the setting is');
like((confined('postgres', q{SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()}))[1], qr/ \(confined\)$/,
	'and is shown as confined to others');
is((confined('postgres', q{SELECT pgbackup.is_confined()}, 'mallory'))[0] == 0, '', 'and not everyone may ask');

# What later versions evaluate: a trigger at each login, columns computed when they are read, and
# statistics that come with a backup, whose values are values of their columns' types.
SKIP:
{
	skip 'login event triggers came with version 17', 1 if $node->pg_version < 17;
	$node->safe_psql('postgres', 'CREATE DATABASE logins');
	$node->safe_psql('logins', 'CREATE SCHEMA mallory AUTHORIZATION mallory; CREATE SCHEMA hidden; GRANT CREATE, USAGE ON SCHEMA hidden TO mallory');
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-U', 'mallory', '-d', $node->connstr('logins'), '-f', fixture('fixtures/attacks.sql') ],
		'the attacks are in place once more');
	as_mallory('logins', q{
		CREATE FUNCTION mallory.on_login() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM mallory.pwn('login'); END $$});
	as_mallory('logins', 'CREATE TABLE mallory.virtual (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL); INSERT INTO mallory.virtual VALUES (1)')
	  if $node->pg_version >= 18;
	$node->safe_psql('logins', 'CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION mallory.on_login()');
	for my $format (qw(custom parallel plain))
	{
		my $id = start_backup($node, "'logins', format => '$format'");
		is(finished($node, $id), 'completed', "a backup of a database with a trigger at login, $format") or diag(explain(row_of($node, $id)));
		completes($node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')"), "is verified, $format");
		nothing_happened("a trigger at login, $format");
	}
}
SKIP:
{
	skip 'backups have statistics since version 18', 1 if $node->pg_version < 18;
	$node->safe_psql('postgres', 'CREATE DATABASE measured');
	$node->safe_psql('measured', 'CREATE SCHEMA mallory AUTHORIZATION mallory');
	as_mallory('measured', q{
		CREATE DOMAIN mallory.writer AS int CHECK (CASE WHEN current_user <> 'mallory' THEN lo_create(888888) > 0 ELSE true END);
		CREATE TABLE mallory.t (a mallory.writer);
		INSERT INTO mallory.t SELECT 1 FROM generate_series(1, 100);
		ANALYZE mallory.t});
	my $id = start_backup($node, q{'measured', format => 'custom'});
	is(finished($node, $id), 'completed', 'a backup with statistics of a domain');
	my $run = $node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')");
	finished($node, $run);
	like(row_of($node, $run, 'restores')->{message}, qr/the rows of \d+ tables|function lo_create.* cannot be called/, 'is loaded, or refused');
	nothing_happened('statistics', 'measured');
}

# A database owner's settings for it do not decide.
$node->safe_psql('postgres', 'ALTER DATABASE literal SET track_activities = off');
is((confined('literal', q{SELECT lo_import('/etc/hostname', 888889)}))[0], 0, 'a client calls what it likes itself');

# All of this is about something: by an unconfined pg_restore the attacks succeed.
$node->safe_psql('postgres', 'CREATE DATABASE stock');
my $file = $node->basedir . '/stock.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', $node->connstr('shop') ], 'a dump without pgbackup');
IPC::Run::run([ 'pg_restore', '-d', $node->connstr('stock'), $file ], '>&', $node->basedir . '/stock.log');
for my $attack (qw(check domain generated partition_key inlined folded foreign_key_cast operator leaf))
{
	is($node->safe_psql('postgres', "SELECT count(*) FROM pg_roles WHERE rolname = 'pwn_$attack'"), 1, "$attack works there");
}
is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}), 't', 'and makes a superuser');

done_testing();
