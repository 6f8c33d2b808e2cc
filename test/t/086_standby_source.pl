# Backups that read a standby (pgbackup.dump_conninfo): its recovery may end them, and they are tried again.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('primary', 'pgbackup.retry_delay' => '1s');
$node->append_conf('postgresql.conf', "wal_level = replica\nmax_wal_senders = 4\nautovacuum = off");
$node->restart;
$node->safe_psql('postgres', 'CREATE DATABASE shop');
# Few enough rows that none is waiting to be sent while the dump is held up: a server ends no session in the middle of that, and
# recovery would wait for it.
$node->safe_psql('shop', q{CREATE TABLE t AS SELECT g AS a, md5(g::text) AS b FROM generate_series(1, 1000) g});
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'max_standby_streaming_delay = 0');
$standby->start;
$node->wait_for_catchup($standby);

my $slow = slow_programs($node);
restart_settings($node, 'pgbackup.bin_directory' => $slow,
	'pgbackup.dump_conninfo' => sprintf('host=%s port=%d', $standby->host, $standby->port));
for my $format ('custom', 'parallel')
{
	unlink "$slow/reached", "$slow/go";
	my $id = start_backup($node, "'shop', format => '$format'");
	wait_for_file("$slow/reached");
	$node->safe_psql('shop', 'DELETE FROM t WHERE a % 2 = 0');
	# VACUUM flushes no WAL, and may have to be repeated: a transaction that it still sees keeps all rows.
	my $until = time + $PostgreSQL::Test::Utils::timeout_default;
	while (row_of($node, $id)->{status} eq 'in_progress' && time < $until)
	{
		$node->safe_psql('shop', $_) for 'VACUUM t', 'INSERT INTO t VALUES (0)';
		$node->wait_for_catchup($standby);
	}
	is(finished($node, $id), 'failed', "$format: rows that the backup still sees are removed");
	my $row = row_of($node, $id);
	my $retry = $node->safe_psql('postgres', "SELECT max(id) FROM pgbackup.backups WHERE retry_of = $id");
	like($row->{message}, qr/stood in the way of the standby's recovery; backup $retry tries again at 2/, "$format: the row says why, and what comes next");
	like($row->{hint}, qr/hot_standby_feedback/, "$format: and what to do");
	PostgreSQL::Test::Utils::append_to_file("$slow/go", '');
	is(finished($node, $retry), 'completed', "$format: the next attempt completes") or diag(explain(row_of($node, $retry)));
	$node->safe_psql('shop', q{INSERT INTO t SELECT g, md5(g::text) FROM generate_series(2, 1000, 2) g});
	$node->wait_for_catchup($standby);
}
$standby->stop;
$node->stop;
done_testing();
