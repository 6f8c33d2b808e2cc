# A table that cannot be restored does not keep everything else from being restored: exclude_tables and
# exclude_schemas leave it out, with what depends on it, exclude_table_data its rows, and they say so.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('excluded', 'pgbackup.parallel_threshold' => 0);
my $store = $node->basedir . '/store';

sub value { return $node->safe_psql('postgres', $_[0]) }
sub restore_row { return row_of($node, $_[0], 'restores') }

# The tenant's CHECK holds in his database, and nowhere else.
value('CREATE ROLE tenant');
value('CREATE DATABASE shop');
$node->safe_psql('shop', q{
	CREATE SCHEMA tenant AUTHORIZATION tenant;
	CREATE TABLE public.good (id int PRIMARY KEY, note text);
	INSERT INTO good SELECT i, md5(i::text) FROM generate_series(1, 500) i;
	CREATE INDEX ON good (note);
	SELECT lo_from_bytea(4711, 'a large object');
	GRANT CREATE, USAGE ON SCHEMA public TO tenant;
	SET ROLE tenant;
	CREATE FUNCTION tenant.only_here(int) RETURNS bool LANGUAGE plpgsql AS $$
		BEGIN
			IF current_database() <> 'shop' THEN RAISE 'not here'; END IF;
			RETURN true;
		END $$;
	CREATE TABLE tenant.bad (id serial PRIMARY KEY, a int CHECK (tenant.only_here(a)));
	INSERT INTO tenant.bad (a) SELECT generate_series(1, 100);
	CREATE VIEW tenant.seen AS SELECT a FROM tenant.bad;
	CREATE TABLE tenant.fine AS SELECT 1 AS i;
	RESET ROLE;
	CREATE VIEW public.seen_again AS SELECT * FROM tenant.seen;
	CREATE TABLE public.refers (id int PRIMARY KEY, bad int REFERENCES tenant.bad);
	INSERT INTO refers VALUES (1, 1);
	CREATE PUBLICATION everything FOR ALL TABLES});

my %relations = (
	'tenant.bad' => 'good refers tenant.fine',
	tenant => 'good refers');
my $relations = q{SELECT string_agg(oid::regclass::text, ' ' ORDER BY oid::regclass::text) FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'v')
	  AND relnamespace IN ('public'::regnamespace, to_regnamespace('tenant'))};

sub is_rest
{
	my ($database, $excluded, $title) = @_;
	is($node->safe_psql($database, $relations), $relations{$excluded}, "$title: the rest is there");
	is($node->safe_psql($database, 'SELECT count(*), count(DISTINCT note) FROM good'), '500|500', "$title: with its rows");
	is($node->safe_psql($database, 'SELECT count(*) FROM refers'), 1, "$title: also of a table that has lost its foreign key");
	is($node->safe_psql($database, q{SELECT count(*) FROM pg_index WHERE indrelid = 'good'::regclass AND indisvalid}), 2, "$title: and its indexes");
	is($node->safe_psql($database, q{SELECT convert_from(lo_get(4711), 'UTF8')}), 'a large object', "$title: large objects belong to the rest");
	is($node->safe_psql($database, 'SELECT count(*) FROM pg_publication'), 1, "$title: so do publications");
	$node->safe_psql('postgres', "DROP DATABASE $database");
	return;
}

my %backup;
foreach my $format ('custom', 'parallel')
{
	my $id = $backup{$format} = start_backup($node, "'shop', format => '$format'");
	is(finished($node, $id), 'completed', "a $format backup");
	my $whole = start_restore($node, "$id, 'whole'");
	is(finished($node, $whole), 'failed', 'cannot be restored as a whole');

	my $restore = start_restore($node, "$id, 'rest', exclude_tables => '{tenant.bad}'");
	is(finished($node, $restore), 'completed', "$format: but without the table") or diag(explain(restore_row($restore)));
	my $message = restore_row($restore)->{message};
	like($message, qr/1 foreign keys to tables that were not selected, or come without rows, were left out: refers refers_bad_fkey \(public\)/, "$format: foreign keys are named");
	like($message, qr/2 objects that need what was excluded were left out: VIEW seen \(tenant\), VIEW seen_again \(public\)/, "$format: and views");
	is_rest('rest', 'tenant.bad', $format);

	$restore = start_restore($node, "$id, 'rest', exclude_schemas => '{tenant}'");
	is(finished($node, $restore), 'completed', "$format: and without the schema") or diag(explain(restore_row($restore)));
	like(restore_row($restore)->{message}, qr/1 objects that need what was excluded were left out: VIEW seen_again \(public\)/, "$format: what needs it is named");
	is_rest('rest', 'tenant', "$format, without the schema");

	$restore = start_restore($node, "$id, 'part', schemas => '{tenant}', exclude_tables => '{tenant.bad}'");
	is(finished($node, $restore), 'completed', "$format: a part, without a part of it");
	is($node->safe_psql('part', $relations), 'tenant.fine', 'is what remains');
	value('DROP DATABASE part');

	$restore = start_restore($node, "$id, 'rest', exclude_table_data => '{tenant.bad}'");
	is(finished($node, $restore), 'completed', "$format: without the rows of the table") or diag(explain(restore_row($restore)));
	like(restore_row($restore)->{message}, qr/1 foreign keys to tables that were not selected, or come without rows, were left out: refers refers_bad_fkey \(public\)/,
		"$format: the foreign key to it is named");
	is($node->safe_psql('rest', 'SELECT (SELECT count(*) FROM tenant.bad), (SELECT count(*) FROM tenant.seen), (SELECT count(*) FROM refers), (SELECT count(*) FROM good)'),
		'0|0|1|500', "$format: everything else is there");
	is($node->safe_psql('rest', q{SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE conrelid = 'tenant.bad'::regclass AND contype IN ('c', 'p')}),
		'bad_a_check bad_pkey', "$format: also what belongs to the table");
	value('DROP DATABASE rest');
	$restore = start_restore($node, "$id, 'shop', into_schema => 'recovered', tables => '{public.good,tenant.fine}', exclude_table_data => '{tenant.fine}'");
	is(finished($node, $restore), 'completed', "$format: beside what is selected, into a schema") or diag(explain(restore_row($restore)));
	is($node->safe_psql('shop', 'SELECT (SELECT count(*) FROM recovered.good), (SELECT count(*) FROM recovered.fine)'), '500|0', 'with and without rows');
	$node->safe_psql('shop', 'DROP SCHEMA recovered CASCADE');

	my $dry = start_restore($node, "$id, 'rest', exclude_tables => '{tenant.bad}', dry_run => true");
	is(finished($node, $dry), 'completed', "$format: a dry run");
	like(restore_row($dry)->{detail}, qr/VIEW seen_again \(public\)/, 'says what would be left out');

	$restore = start_restore($node, "$id, 'rest', exclude_tables => '{tenant.nix}'");
	is(finished($node, $restore), 'failed', "$format: a name that is not there");
	like(restore_row($restore)->{message} . restore_row($restore)->{detail}, qr/table "tenant"\."nix" is not in the backup/, 'is an error');
	$restore = start_restore($node, "$id, 'rest', tables => '{tenant.seen}', exclude_tables => '{tenant.bad}'");
	is(finished($node, $restore), 'failed', "$format: a view without its table");
	like(restore_row($restore)->{message} . restore_row($restore)->{detail}, qr/nothing that was selected can do without what was excluded/, 'is one, too');

	my @cli = ('restore', $id, '--storage', "file://$store", '-h', $node->host, '-p', $node->port, '--target-database', 'rest');
	my ($status, $out, $err) = pgbackup($node, @cli, '--exclude-table', 'tenant.bad');
	is($status, 0, "$format: on the command line") or diag($err);
	like($out, qr/VIEW seen_again \(public\)/, 'which says what was left out');
	is_rest('rest', 'tenant.bad', "$format, on the command line");
	($status, $out, $err) = pgbackup($node, @cli, '-N', 'tenant');
	is($status, 0, "$format: without a schema") or diag($err);
	is_rest('rest', 'tenant', "$format, without the schema on the command line");
	($status, $out, $err) = pgbackup($node, @cli, '--exclude-table-data', 'tenant.bad');
	is($status, 0, "$format: without rows") or diag($err);
	is($node->safe_psql('rest', 'SELECT (SELECT count(*) FROM tenant.bad), (SELECT count(*) FROM good)'), '0|500', 'which is what comes');
	value('DROP DATABASE rest');
}

my $plain = start_backup($node, q{'shop', format => 'plain'});
is(finished($node, $plain), 'completed', 'a plain backup');
my $restore = start_restore($node, "$plain, 'rest', exclude_tables => '{tenant.bad}'");
is(finished($node, $restore), 'failed', 'has no parts');
like(restore_row($restore)->{message}, qr/a part of a backup in plain format cannot be restored/, 'and says so');

foreach my $excluded ("exclude_tables => '{tenant.bad}'", "exclude_schemas => '{tenant}'", "exclude_table_data => '{tenant.bad}'")
{
	my (undef, undef, $error) = $node->psql('postgres', "SELECT pgbackup.restore($backup{custom}, 'shop', replace => true, $excluded)");
	like($error, qr/a part of a backup cannot replace a whole database/, "$excluded does not replace a database");
}
my (undef, undef, $error) = $node->psql('postgres', "SELECT pgbackup.restore($backup{custom}, 'rest', exclude_tables => '{}')");
like($error, qr/argument "exclude_tables" must be a list of names/, 'an empty list is refused');
(undef, undef, $error) = $node->psql('postgres', "CALL pgbackup.run_restore($backup{custom}, 'rest', exclude_schemas => '{tenant}')");
unlike($error, qr/ERROR/, 'run_restore has them, too');
is_rest('rest', 'tenant', 'run_restore');
done_testing();
