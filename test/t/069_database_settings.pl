# A restored database is what it was as a whole: its settings are in force while rows are loaded, constraints
# checked and materialized views filled, as pg_restore --create has them; its grantors and IS_TEMPLATE come back.
# Settings that would steer the sessions of the restore are not in force meanwhile, and those that the server
# refuses are left out and named.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use File::Copy qw(copy);
use IPC::Run;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A locale with money of its own, for this server alone.
my $locales = PostgreSQL::Test::Utils::tempdir();
my $has_locale = system("localedef -i de_DE -f UTF-8 '$locales/de_DE.UTF-8' >/dev/null 2>&1") == 0;
local $ENV{LOCPATH} = $locales if $has_locale;

my $node = new_cluster('database_settings', -init => [ '--locale=C', '--encoding=UTF8' ],
	'pgbackup.split_table_size' => 1024, 'pgbackup.safety_backup' => 'off', wal_level => 'logical');
my @server = ('--storage', 'file://' . $node->basedir . '/store', '-h', $node->host, '-p', $node->port);
my $shop = q{my "shop" \ it's};
my $formats = [ 'custom', 'parallel', 'plain' ];

sub value { return $node->safe_psql('postgres', $_[0]) }

sub quoted { return '"' . ($_[0] =~ s/"/""/gr) . '"' }

sub literal { return q{E'} . ($_[0] =~ s/([\\'])/\\$1/gr) . q{'} }

sub completes
{
	my ($run, $what) = @_;
	is(finished($node, $run), 'completed', $what) or diag(explain(row_of($node, $run, 'restores')));
	return row_of($node, $run, 'restores')->{message} // '';
}

# What belongs to the database itself.
sub properties_of
{
	my $name = literal($_[0]);
	return value(qq{
		SELECT pg_get_userbyid(datdba), datistemplate, datconnlimit, (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(coalesce(datacl, acldefault('d', datdba))) a)
		  FROM pg_database WHERE datname = $name;
		SELECT setrole, c FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(setconfig) c
		 WHERE datname = $name ORDER BY 1, 2});
}

sub contents_of
{
	my ($database) = @_;
	my $money = $has_locale ? 'SELECT id, p::numeric FROM price ORDER BY id;' : '';
	return $node->safe_psql($database, qq{
		SELECT day - date '2000-01-01', total FROM per_day ORDER BY day;
		SELECT count(*), min(t), max(t) FROM days;
		SELECT r FROM regional;
		SET enable_seqscan = off;
		SELECT count(*) FROM sale WHERE local_day(at) = date '02.01.2026';
		$money});
}

sub dropped { value('ALTER DATABASE ' . quoted($_[0]) . ' IS_TEMPLATE false'); value('DROP DATABASE ' . quoted($_[0])); return }

value(qq{
	CREATE ROLE keeper;
	CREATE ROLE clerk;
	CREATE ROLE guest});
value('CREATE DATABASE ' . quoted($shop) . ' OWNER keeper TEMPLATE template0');
my $in = 'ALTER DATABASE ' . quoted($shop) . ' SET';
value("$in timezone = 'Pacific/Auckland'");
value("$in DateStyle = 'German, DMY'");
value("$in lc_monetary = 'de_DE.UTF-8'") if $has_locale;
value("$in app.region = " . literal(q{ north  "west" \ it's %n $$ }));
value("$in app.empty = ''");
value('ALTER ROLE clerk IN DATABASE ' . quoted($shop) . q{ SET app.region = 'clerk'});
$node->safe_psql($shop, q{
	CREATE TABLE sale (at timestamptz, amount int);
	INSERT INTO sale SELECT timestamptz '2026-01-01 00:00+00' + g * interval '1 hour', 1 FROM generate_series(0, 239) g;
	CREATE FUNCTION local_day(timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS 'SELECT $1::date';
	CREATE INDEX ON sale (public.local_day(at));
	CREATE MATERIALIZED VIEW per_day AS SELECT at::date AS day, sum(amount) AS total FROM sale GROUP BY 1;
	CREATE TABLE days (d date, t text, pad text, CHECK (d::text = t));
	INSERT INTO days SELECT d, d::text, repeat('p', 100) FROM (SELECT date '2026-01-01' + g AS d FROM generate_series(1, 3000) g) g;
	CREATE TABLE regional (r text CHECK (r = current_setting('app.region')));
	INSERT INTO regional VALUES (current_setting('app.region'))});
$node->safe_psql($shop, q{
	CREATE TABLE price (id int, p money);
	INSERT INTO price VALUES (1, 1234.56::numeric::money), (2, 0.99::numeric::money)}) if $has_locale;
value('GRANT CONNECT ON DATABASE ' . quoted($shop) . ' TO clerk WITH GRANT OPTION');
value('SET ROLE clerk; GRANT CONNECT ON DATABASE ' . quoted($shop) . ' TO guest');
value('ALTER DATABASE ' . quoted($shop) . ' IS_TEMPLATE true');
my $contents = contents_of($shop);
my $properties = properties_of($shop);
like($properties, qr/guest=c\/clerk/, 'the source has a grantor that is not its owner');

# What PostgreSQL's own programs make of it.
my $dump = $node->basedir . '/stock.dump';
my $odd = q{dbname='my "shop" \\\\ it\\'s'};
IPC::Run::run([ $node->installed_command('pg_dump'), '-Fc', '-C', '-h', $node->host, '-p', $node->port, '-f', $dump, '-d', $odd ])
  or die 'pg_dump failed';
value('ALTER DATABASE ' . quoted($shop) . ' RENAME TO original');
ok(IPC::Run::run([ $node->installed_command('pg_restore'), '-C', '-h', $node->host, '-p', $node->port, '-d', 'postgres', $dump ]),
	'pg_restore restores it');
is(contents_of($shop), $contents, 'pg_restore: the contents are equal');
is(properties_of($shop), $properties, 'pg_restore: and what belongs to the database');
dropped($shop);
value('ALTER DATABASE original RENAME TO ' . quoted($shop));

for my $format (@$formats)
{
	my $id = start_backup($node, literal($shop) . ", format => '$format'");
	is(finished($node, $id), 'completed', "$format: a backup") or diag(explain(row_of($node, $id)));

	my $message = completes($node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')"), "$format: verified");
	unlike($message, qr/left out/, "$format: with all settings");

	completes(start_restore($node, "$id, 'restored', dry_run => true"), "$format: dry run");
	is(completes(start_restore($node, "$id, 'restored'"), "$format: restored"), '', "$format: without a remark");
	is(contents_of('restored'), $contents, "$format: the contents are equal");
	is(properties_of('restored'), $properties, "$format: and what belongs to the database");
	dropped('restored');

	completes(start_restore($node, "$id, " . literal($shop) . ", replace => true"), "$format: replaced");
	is(contents_of($shop), $contents, "$format: replaced: the contents are equal");
	is(properties_of($shop), $properties, "$format: replaced: and what belongs to the database");

	my ($status, $out, $err) = pgbackup($node, 'restore', $id, '--target-database', 'by_command', @server);
	is($status, 0, "$format: restored by the command line") or diag($err);
	is(contents_of('by_command'), $contents, "$format: command line: the contents are equal");
	is(properties_of('by_command'), $properties, "$format: command line: and what belongs to the database");
	dropped('by_command');
	($status, $out, $err) = pgbackup($node, 'verify', $id, '--level', 'restore', @server);
	is($status, 0, "$format: verified by the command line") or diag($err);
}

# An empty database gives way, even a template.
value('CREATE DATABASE waiting IS_TEMPLATE true');
my ($status, $out, $err) = pgbackup($node, 'restore', 'latest', '--database', $shop, '--target-database', 'waiting', @server);
is($status, 0, 'an empty template gives way') or diag($err);
is(contents_of('waiting'), $contents, 'and the backup takes its place');
dropped('waiting');

# Settings that would steer the sessions of a restore, and are the database's all the same.
value('CREATE DATABASE strict');
$node->safe_psql('strict', q{
	CREATE TABLE parent (id int PRIMARY KEY CHECK (current_setting('session_replication_role') = 'origin'));
	INSERT INTO parent SELECT generate_series(1, 1000);
	CREATE TABLE words (w text[]);
	INSERT INTO words VALUES ('{a,NULL}');
	CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM parent;
	ALTER DATABASE strict SET session_replication_role = 'replica';
	ALTER DATABASE strict SET array_nulls = off;
	ALTER DATABASE strict SET role = 'guest';
	ALTER DATABASE strict SET default_transaction_read_only = on;
	ALTER DATABASE strict SET default_transaction_isolation = 'serializable';
	ALTER DATABASE strict SET default_transaction_deferrable = on;
	ALTER DATABASE strict SET statement_timeout = '1ms';
	ALTER DATABASE strict SET lock_timeout = '1ms';
	ALTER DATABASE strict SET idle_in_transaction_session_timeout = '1ms';
	ALTER DATABASE strict SET standard_conforming_strings = off;
	ALTER DATABASE strict SET search_path = 'nowhere';
	ALTER DATABASE strict SET default_tablespace = 'nowhere'});
$properties = properties_of('strict');
for my $format (@$formats)
{
	my $id = start_backup($node, "'strict', format => '$format'");
	is(finished($node, $id), 'completed', "$format: a backup of a strict database") or diag(explain(row_of($node, $id)));
	completes($node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')"), "$format: verified");
	completes(start_restore($node, "$id, 'restored'"), "$format: restored");
	is(properties_of('restored'), $properties, "$format: with its settings");
	local $ENV{PGOPTIONS} = '-c role=none -c statement_timeout=0 -c idle_in_transaction_session_timeout=0';
	is($node->safe_psql('restored', 'SELECT count(*), (SELECT w[2] IS NULL FROM public.words) FROM public.parent'), '1000|t', "$format: and its rows");
	dropped('restored');
}

# Settings that were right once.
my $library = $node->basedir . q{/gone it's.so};
copy($node->config_data('--pkglibdir') . '/utf8_and_win.so', $library) or die "copy: $!";
chmod 0755, $library;
value('CREATE DATABASE moved');
$node->safe_psql('moved', 'CREATE TABLE t AS SELECT 1 AS a');
value('ALTER DATABASE moved SET session_preload_libraries = ' . literal($library));
value(q{ALTER DATABASE moved SET work_mem = '5MB'});
value(q{ALTER DATABASE moved SET app.kept = 'yes'});
value(q{UPDATE pg_db_role_setting SET setconfig = setconfig || '{lc_time=no_SUCH,no_such_setting=1}'::text[]
	WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = 'moved')});
my %moved = map { ($_ => start_backup($node, "'moved', format => '$_'")) } @$formats;
is(finished($node, $moved{$_}), 'completed', "$_: a backup of a database with settings that will be refused") for @$formats;
unlink $library or die "unlink: $!";
value('ALTER DATABASE moved RESET session_preload_libraries');

sub names_the_refused
{
	my ($text, $database, $what) = @_;
	like($text, qr/settings of the database are left out, because the server refuses them: /, "$what: settings are left out");
	like($text, qr/ALTER DATABASE "$database" SET "lc_time" TO 'no_SUCH' \(invalid value for parameter /, "$what: a locale");
	like($text, qr/ALTER DATABASE "$database" SET "no_such_setting" TO '1' \(unrecognized configuration parameter/, "$what: a parameter");
	like($text, qr/ALTER DATABASE "$database" SET "session_preload_libraries" TO '[^ ]+gone it''s\.so' \(the server has no library/, "$what: a library");
	unlike($text, qr/work_mem/, "$what: and no other");
	return;
}

sub kept_settings
{
	return value(qq{SELECT array_to_string(setconfig, ' ') FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE datname = '$_[0]'});
}

for my $format (@$formats)
{
	my $dry = start_restore($node, "$moved{$format}, 'restored', dry_run => true");
	completes($dry, "$format: dry run");
	names_the_refused(row_of($node, $dry, 'restores')->{detail}, 'restored', "$format: dry run");
	names_the_refused(completes(start_restore($node, "$moved{$format}, 'restored'"), "$format: restored"), 'restored', "$format: restore");
	is(kept_settings('restored'), 'app.kept=yes work_mem=5MB', "$format: the others are set");
	is($node->safe_psql('restored', 'SELECT a FROM t'), '1', "$format: and sessions begin");
	value('DROP DATABASE restored');
	names_the_refused(completes(start_restore($node, "$moved{$format}, 'moved', replace => true"), "$format: replaced"), 'moved', "$format: replace");
	is($node->safe_psql('moved', 'SELECT a FROM t'), '1', "$format: where sessions begin again");
	completes($node->safe_psql('postgres', "SELECT pgbackup.verify($moved{$format}, 'restore')"), "$format: verified");
	($status, $out, $err) = pgbackup($node, 'restore', $moved{$format}, '--target-database', 'by_command', @server);
	is($status, 0, "$format: restored by the command line") or diag($err);
	names_the_refused($out, 'by_command', "$format: command line");
	value('DROP DATABASE by_command');
}
is(value('SELECT count(*) FROM pg_db_role_setting WHERE setrole = 10'), 0, 'the role that asked has got no setting');

# The user mappings of a foreign table's server come with the table.
value('CREATE DATABASE far');
$node->safe_psql('far', q{
	CREATE FOREIGN DATA WRAPPER nothing;
	CREATE SERVER "the SERVER x" FOREIGN DATA WRAPPER nothing;
	CREATE SERVER x FOREIGN DATA WRAPPER nothing;
	CREATE USER MAPPING FOR clerk SERVER "the SERVER x" OPTIONS ("user" 'far''away');
	CREATE USER MAPPING FOR PUBLIC SERVER "the SERVER x";
	CREATE USER MAPPING FOR clerk SERVER x;
	CREATE FOREIGN TABLE t (a int) SERVER "the SERVER x"});
for my $format ('custom', 'parallel')
{
	my $id = start_backup($node, "'far', format => '$format'");
	is(finished($node, $id), 'completed', "$format: a backup with a foreign table");
	completes(start_restore($node, "$id, 'near', tables => '{public.t}'"), "$format: the table restored");
	is($node->safe_psql('near', q{SELECT srvname, usename, umoptions FROM pg_user_mappings ORDER BY 2}),
		"the SERVER x|clerk|{user=far'away}\nthe SERVER x|public|", "$format: with its user mappings");
	value('DROP DATABASE near');
}

is(value(q{SELECT count(*) FROM pg_database WHERE datname ~ '__restore_'}), 0, 'no database is left');
done_testing();
