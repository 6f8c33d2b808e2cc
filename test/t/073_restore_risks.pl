# What a backup's database has that a restore will refuse or lack is seen while it is made, and health() warns.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('node', 'pgbackup.databases' => 'shop', 'pgbackup.schedule' => '0 0 1 1 *', 'pgbackup.max_proof_age' => 0);
$node->safe_psql('postgres', 'CREATE DATABASE shop');

sub backed_up
{
	my $id = start_backup($node, q{'shop'});
	is(finished($node, $id), 'completed', 'a backup') or diag(explain(row_of($node, $id)));
	return row_of($node, $id);
}

sub reasons { return $node->safe_psql('postgres', q{SELECT array_to_string(reasons, E'\n') FROM pgbackup.health() WHERE database = 'shop'}) }

# Nothing of this is a risk: names with schemas, a function with a path, one whose text the server has taken apart,
# text that only looks like a name.
$node->safe_psql('shop', q{
	CREATE TABLE rates (r int);
	INSERT INTO rates VALUES (2);
	CREATE FUNCTION qualified(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN i * (SELECT r FROM public.rates); END';
	CREATE FUNCTION with_path(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql SET search_path = public AS 'BEGIN RETURN i * (SELECT r FROM rates); END';
	CREATE FUNCTION taken_apart(i int) RETURNS int IMMUTABLE LANGUAGE sql BEGIN ATOMIC SELECT i * r FROM rates; END;
	CREATE FUNCTION words(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN i + length(''many rates''); END';
	CREATE FUNCTION unused(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN i * (SELECT r FROM rates); END';
	CREATE TABLE t (i int CHECK (with_path(i) > 0), g int GENERATED ALWAYS AS (words(i)) STORED);
	INSERT INTO t VALUES (1), (2);
	CREATE INDEX ON t (qualified(i));
	CREATE INDEX ON t (taken_apart(i))});
my $row = backed_up();
is($row->{message}, '', 'has nothing to remark');
is($row->{sqlstate}, '', 'and no warning');
unlike(reasons(), qr/may not be restored/, 'nor has health()');

my %risk = (
	'index by_rate calls function rate(integer), which names "rates" without its schema and sets no search_path' =>
	  'CREATE INDEX by_rate ON t (rate(i))',
	'constraint positive on table t calls function twice(integer), which names "rate" without its schema and sets no search_path' =>
	  'ALTER TABLE t ADD CONSTRAINT positive CHECK (twice(i) > 0)',
	'generated column h of table t calls function rate(integer), which names "rates" without its schema and sets no search_path' =>
	  'ALTER TABLE t ADD h int GENERATED ALWAYS AS (rate(i)) STORED',
	'materialized view sums calls function rate(integer), which names "rates" without its schema and sets no search_path' =>
	  'CREATE MATERIALIZED VIEW sums AS SELECT rate(i) FROM t',
	'index broken is invalid, so no backup holds it' => 'CREATE INDEX broken ON t (i)');
$node->safe_psql('shop', q{
	CREATE FUNCTION rate(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN i * (SELECT r FROM public.Rates LIMIT 1); END';
	CREATE FUNCTION twice(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * public.rate(i)'});
$node->safe_psql('shop', $_) for values %risk;
# From version 17 on the server would not build with that.
$node->safe_psql('shop', q{
	CREATE OR REPLACE FUNCTION rate(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN i * (SELECT r FROM Rates LIMIT 1); END';
	CREATE OR REPLACE FUNCTION twice(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * rate(i)'});
$node->safe_psql('shop', q{UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass});
$row = backed_up();
my @found = split / \| /, $row->{detail} =~ s/public\.//gr;  # row_of puts lines together
is_deeply([ sort @found ], [ sort keys %risk ], 'each risk is found') or diag(explain($row));
like($row->{message}, qr/^not all of the database may come back in a restore: /, 'message warns');
is($row->{sqlstate}, '01000', 'as of a warning');
like($row->{hint}, qr/search_path.*REINDEX/, 'hint says what to do');
like(reasons(), qr/^the newest backup may not be restored as a whole: \S/m, 'health() warns, too');

# What anybody can make costs no more than the time it is given.
$node->safe_psql('shop', q{
	DO $$BEGIN
		FOR n IN 1 .. 300 LOOP
			EXECUTE format('CREATE TABLE many_%s ()', n);
			EXECUTE format('CREATE FUNCTION long_%s(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS %L', n,
				'BEGIN RETURN 1; /* ' || repeat('from from many_', 2000) || ' */ END');
			EXECUTE format('CREATE INDEX ON t (long_%s(i))', n);
		END LOOP;
	END$$});
$row = backed_up();
cmp_ok(scalar(() = $row->{detail} =~ / \| /g), '<', 20, 'it remarks no more than twenty');
$node->safe_psql('shop', q{DO $$BEGIN FOR n IN 1 .. 300 LOOP EXECUTE format('DROP FUNCTION long_%s CASCADE', n); END LOOP; END$$});

# Mended, and proved.
$node->safe_psql('shop', 'ALTER FUNCTION rate SET search_path = public, pg_temp; ALTER FUNCTION twice SET search_path = public, pg_temp');
$row = backed_up();
is($row->{detail} =~ s/public\.//gr, 'index broken is invalid, so no backup holds it', 'what is left is the invalid index');
my $proof = $node->safe_psql('postgres', "SELECT pgbackup.verify($row->{id}, 'restore')");
is(finished($node, $proof), 'completed', 'such a backup can be restored') or diag(explain(row_of($node, $proof, 'restores')));
unlike(reasons(), qr/may not be restored/, 'which health() takes for better than signs');

$node->stop;
done_testing();
