# What is in a backup, in every layout; and backups of other environments.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use IPC::Run;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('contents', 'pgbackup.split_table_size' => '1MB', 'pgbackup.jobs' => 1, 'pgbackup.environment' => 'staging');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', q{CREATE ROLE keeper; CREATE DATABASE shop; CREATE DATABASE laden ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0});
my $tables = q{
	CREATE SCHEMA "schöne Sachen" AUTHORIZATION keeper;
	CREATE TABLE "schöne Sachen"."Übersicht" (n int PRIMARY KEY, t text);
	INSERT INTO "schöne Sachen"."Übersicht" SELECT n, repeat(md5(n::text), 4) FROM generate_series(1, 20000) AS n;
	CREATE TABLE public.few (i int); INSERT INTO public.few VALUES (1), (2), (3);
	CREATE VIEW public.shown AS SELECT 1 AS one};
for my $database ('shop', 'laden') { $node->safe_psql($database, "SET client_encoding = UTF8; $tables") }

sub backup
{
	my ($arguments) = @_;
	my $id = start_backup($node, $arguments);
	is(finished($node, $id), 'completed', "a backup with $arguments") or diag(explain(row_of($node, $id)));
	return $id;
}

# The entries of a backup without the numbers, one a line. Since version 18 there are those of statistics, too.
sub contents
{
	my ($id) = @_;
	return $node->safe_psql('postgres', qq{
		SELECT object, kind, coalesce(schema, '-'), name, coalesce(owner, '-'), has_data, row_count, raw_size > 100000
		  FROM pgbackup.contents($id) WHERE kind IN ('SCHEMA', 'TABLE', 'VIEW', 'CONSTRAINT', 'TABLE DATA') AND coalesce(schema, name) <> 'public'
		    OR schema = 'public' AND kind <> 'STATISTICS DATA'
		 ORDER BY object, kind, name COLLATE "C"});
}

my $owner = $node->safe_psql('postgres', 'SELECT current_user');
my $definitions = sub {
	my ($object) = @_;
	return map { "$object|$_" } "CONSTRAINT|schöne Sachen|Übersicht Übersicht_pkey|$owner|f||", 'SCHEMA|-|schöne Sachen|keeper|f||',
		"TABLE|public|few|$owner|f||", "TABLE|schöne Sachen|Übersicht|$owner|f||";
};
my $view = "VIEW|public|shown|$owner|f||";
my %one = map { $_ => backup("'$_', format => 'custom'") } 'shop', 'laden';
for my $database (sort keys %one)
{
	is(contents($one{$database}), join("\n", $definitions->('database.dump.zst'),
			map({ "database.dump.zst|$_" } "TABLE DATA|public|few|$owner|t|3|", "TABLE DATA|schöne Sachen|Übersicht|$owner|t|20000|", $view)),
		"format custom, database $database");
}

# In ranges, with another encoding than the home database's.
for my $database ('shop', 'laden')
{
	my $id = backup("'$database', format => 'parallel'");
	my @lines = split /\n/, contents($id);
	is_deeply([ grep { /^schema/ } @lines ], [ $definitions->('schema.dump.zst'), "schema.dump.zst|$view" ], "format parallel, database $database: definitions");
	is_deeply([ grep { /few.*\|t\|/ } @lines ], [ "data-000.dump.zst|TABLE DATA|public|few|$owner|t|3|" ], 'the rows of a small table');
	my @ranges = grep { /^data-00[1-9].*\.sql\.zst\|TABLE DATA\|schöne Sachen\|Übersicht\|-\|t\|\d*\|t$/ } @lines;
	cmp_ok(scalar @ranges, '>', 1, 'a big one is in several objects');
	is((grep { /\|20000\|/ } @ranges), 1, 'which count once');
}
is($node->safe_psql('postgres', "SELECT count(*) - count(DISTINCT dump_id) FROM pgbackup.contents($one{shop})"), 0, 'entries have their ids');

# Encrypted; damaged; from a copy; plain; by whom.
my (undef, $recipient) = pgbackup($node, 'keygen', '-o', $node->basedir . '/key');
chomp $recipient;
restart_settings($node, 'pgbackup.encryption_recipients' => $recipient);
my $sealed = backup(q{'shop', format => 'custom'});
my ($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.contents($sealed)");
like($err, qr/ERROR:\s+the backup is encrypted and no identity is given/, 'an encrypted backup needs its key');
restart_settings($node, 'pgbackup.identity_file' => $node->basedir . '/key');
like(contents($sealed), qr/^database\.dump\.zst\.age\|TABLE\|schöne Sachen\|Übersicht\|/m, 'and opens with it');
my $copy = $node->basedir . '/copy';
mkdir $copy or die "$copy: $!";
is(finished($node, $node->safe_psql('postgres', "SELECT pgbackup.copy($sealed, 'file://$copy')")), 'completed', 'a copy');
my $folder = row_of($node, $sealed)->{file_name};
rename "$store/$folder", "$store/$folder.away" or die "$folder: $!";
like(contents($sealed), qr/schöne Sachen/, 'a copy does as well');
rename "$copy/$folder", "$copy/$folder.away" or die "$folder: $!";
($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.contents($sealed)");
like($err, qr/ERROR:\s+there is no backup at .*HINT:/s, 'a backup that is gone is an error');
my $plain = backup(q{'shop', format => 'plain'});
($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.contents($plain)");
like($err, qr/ERROR:\s+backup $plain has no table of contents\n.*HINT:/s, 'format plain has none');
$node->safe_psql('postgres', q{CREATE ROLE looks LOGIN; CREATE ROLE operates LOGIN;
	SELECT pgbackup.grant_access('looks', 'viewer'), pgbackup.grant_access('operates', 'operator')});
($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.contents($one{shop})", extra_params => [ '-U', 'looks' ]);
like($err, qr/permission denied/, 'a viewer may not');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM pgbackup.contents($one{shop})", extra_params => [ '-U', 'operates' ]), '>', 5, 'an operator may');

# The server is production's now, and has the backups of staging.
is($node->safe_psql('postgres', 'SELECT DISTINCT environment FROM pgbackup.backups'), 'staging', 'backups know their environment');
restart_settings($node, 'pgbackup.encryption_recipients' => '', 'pgbackup.environment' => 'production');
$node->safe_psql('postgres', 'DROP EXTENSION pgbackup; CREATE EXTENSION pgbackup');
$node->safe_psql('postgres', "SELECT pgbackup.import('file://$store')");
is($node->safe_psql('postgres', 'SELECT DISTINCT environment FROM pgbackup.backups'), 'staging', 'import brings it along');
my $theirs = $one{shop};
my $ours = backup(q{'shop', format => 'custom'});
is(row_of($node, $ours)->{environment}, 'production', 'new backups are of the new one');

my $notice = qr/NOTICE:\s+backup $theirs of environment "staging" is restored into environment "production"/;
($code, $out, $err) = $node->psql('postgres', "CALL pgbackup.run_restore($theirs, 'shop_of_staging')");
is($code, 0, 'a backup of staging goes into a new database') or diag($err);
like($err, $notice, 'which is said');
for my $dry ('false', 'true')
{
	($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.restore($theirs, 'shop', replace => true, dry_run => $dry)");
	like($err, qr/ERROR:\s+backup $theirs is of environment "staging", and would replace a database of environment "production"\nHINT:.*from_environment => 'staging'/,
		"it does not replace one by mistake, dry_run => $dry");
}
($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.restore($ours, 'elsewhere', from_environment => 'staging')");
like($err, qr/ERROR:\s+backup $ours is not of environment "staging"\nDETAIL:\s+It is of environment "production"/, 'the environment that is named has to be the right one');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.restores WHERE target_database <> 'shop_of_staging'}), 0, 'nothing was asked for');
$node->safe_psql('shop', 'INSERT INTO few VALUES (4)');
($code, $out, $err) = $node->psql('postgres', "CALL pgbackup.run_restore($theirs, 'shop', replace => true, from_environment => 'staging')");
is($code, 0, 'but it does when it is named') or diag($err);
like($err, $notice, 'which is said, too');
is($node->safe_psql('shop', 'SELECT count(*) FROM few'), 3, 'and the database is the one of staging');
($code, $out, $err) = $node->psql('postgres', "CALL pgbackup.run_restore($ours, 'shop', replace => true)");
is($code, 0, 'one of this environment needs no word') or diag($err);
unlike($err, qr/environment/, 'and none is said');

# Where the setting is empty, a backup that has an environment is of another one, the others are not.
restart_settings($node, 'pgbackup.environment' => '');
($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.restore($ours, 'shop', replace => true)");
like($err, qr/would replace a database of a server without pgbackup\.environment/, 'a server without a name is another one');
my $nameless = backup(q{'shop', format => 'custom'});
is(row_of($node, $nameless)->{environment}, '', 'its backups have none');
restart_settings($node, 'pgbackup.environment' => 'production');
is(finished($node, start_restore($node, "$nameless, 'shop', replace => true")), 'completed', 'and replace databases everywhere');
($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.restore($nameless, 'elsewhere', from_environment => 'production')");
like($err, qr/DETAIL:\s+It was made where pgbackup\.environment was not set/, 'but are of no environment that can be named');
$node->stop;
done_testing();
