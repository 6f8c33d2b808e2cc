# Statistics for the planner: a restore gathers them, unless told not to; what cannot be analyzed is named and
# does not keep the rest from being restored.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('statistics', autovacuum => 'off');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', q{
	CREATE TABLE items (a int, b text);
	INSERT INTO items SELECT n, md5(n::text) FROM generate_series(1, 1000) AS n;
	ANALYZE items});

# How many columns of its tables have statistics.
sub columns_known
{
	my ($database) = @_;
	return $node->safe_psql($database, q{SELECT count(*) FROM pg_stats WHERE schemaname = 'public'});
}

sub message_of
{
	my ($id) = @_;
	return row_of($node, $id, 'restores')->{message};
}

# What a restore without ANALYZE knows: nothing, or what the backup has brought.
my $brought = $node->pg_version->major < 18 ? 0 : 2;

my $id = start_backup($node, q{'shop', format => 'parallel'});
is(finished($node, $id), 'completed', 'a backup');
my $restore = start_restore($node, "$id, 'analyzed'");
is(finished($node, $restore), 'completed', 'a restore');
is(columns_known('analyzed'), 2, 'gathers statistics');
is(message_of($restore), '', 'and has nothing to remark');
$restore = start_restore($node, "$id, 'fast', statistics => false");
is(finished($node, $restore), 'completed', 'one that is told not to');
is(columns_known('fast'), $brought, 'gathers none');
is($node->safe_psql('fast', 'SELECT count(*) FROM items'), 1000, 'the rows are there');
my ($code, $out, $err) = $node->psql('postgres', "CALL pgbackup.run_restore($id, 'waited', statistics => false)");
is($code, 0, 'CALL takes the argument, too') or diag($err);
is(columns_known('waited'), $brought, 'and hands it on');
($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.restore($id, 'none', statistics => NULL)");
like($err, qr/statistics must not be null.*HINT/s, 'null is neither');

($code, $out, $err) = pgbackup($node, 'restore', 'latest', '--target-database', 'by_command', '--no-statistics',
	'--storage', "file://$store", '-h', $node->host, '-p', $node->port);
is($code, 0, 'the command line, with --no-statistics') or diag($err);
is(columns_known('by_command'), $brought, 'gathers none either');

# Expressions of statistics objects are evaluated by nothing but ANALYZE.
$node->safe_psql('shop', q{
	CREATE TABLE odd (a int);
	INSERT INTO odd VALUES (0), (1);
	CREATE STATISTICS odd_inverse ON (1 / a) FROM odd});
$id = start_backup($node, q{'shop', format => 'parallel'});
is(finished($node, $id), 'completed', 'a backup with a table that cannot be analyzed');
$restore = start_restore($node, "$id, 'odd'");
is(finished($node, $restore), 'completed', 'is restored all the same');
is(message_of($restore), 'tables that could not be analyzed: public.odd (division by zero (SQLSTATE 22012))', 'the row names the table');
is($node->safe_psql('odd', 'SELECT count(*) FROM odd'), 2, 'its rows are there');
is($node->safe_psql('odd', q{SELECT count(*) FROM pg_stats WHERE tablename = 'items'}), 2, 'and the other table has its statistics');
my $proof = $node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')");
is(finished($node, $proof), 'completed', 'the backup is proved by a restore') or diag(message_of($proof));

# A session that is ended is a failure, not a table.
$node->safe_psql('shop', q{
	DROP TABLE odd;
	CREATE FUNCTION ends(a int) RETURNS int LANGUAGE sql IMMUTABLE AS
		$$ SELECT CASE WHEN pg_terminate_backend(pg_backend_pid()) THEN a END $$;
	CREATE TABLE fatal (a int);
	INSERT INTO fatal VALUES (0), (1);
	CREATE STATISTICS fatal_end ON ends(a) FROM fatal});
$id = start_backup($node, q{'shop', format => 'parallel'});
is(finished($node, $id), 'completed', 'a backup with a table whose analysis ends the session');
$restore = start_restore($node, "$id, 'ended'");
is(finished($node, $restore), 'failed', 'is not restored');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname ~ '^ended'}), 0, 'the target does not exist');
$restore = start_restore($node, "$id, 'ended', statistics => false");
is(finished($node, $restore), 'completed', 'but it is without statistics');

$node->stop;
done_testing();
