# A server that is stopped in a run: "smart" waits for a backup as for any client, and what is complete by then is
# not lost.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('shutdown');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', q{CREATE TABLE t AS SELECT g AS a, md5(g::text) AS b FROM generate_series(1, 20000) g});
my $slow = slow_programs($node);

sub stop
{
	my ($mode, @arguments) = @_;
	return system($node->installed_command('pg_ctl'), '-s', '-D', $node->data_dir, '-m', $mode, @arguments, 'stop') == 0;
}

sub start_again
{
	$node->{_pid} = undef;
	$node->start;
	return;
}

# A backup whose dump waits, and whose other sessions have done what they had to.
sub caught_in_the_dump
{
	my ($arguments) = @_;
	unlink "$slow/reached", "$slow/go";
	restart_settings($node, 'pgbackup.bin_directory' => $slow);
	my $log = -s $node->logfile;
	my $id = start_backup($node, $arguments);
	wait_for_file("$slow/reached");
	# No session can begin any more when the server is to stop: until the last one, which looks for risks, has begun, and
	# what is left are its dump, the session that shares its snapshot, and the one that looks for others that wait.
	$node->wait_for_log(qr/names "%s" without its schema/, $log);
	$node->poll_query_until('postgres', q{SELECT count(*) = 3 FROM pg_stat_activity WHERE application_name LIKE 'pgbackup backup%'}) or die;
	return $id;
}

for my $format ('custom', 'plain')
{
	my $id = caught_in_the_dump("'shop', format => '$format'");
	ok(stop('smart', '-W'), "$format: the server is to stop when its clients have gone");
	$node->wait_for_log(qr/received smart shutdown request/);
	PostgreSQL::Test::Utils::append_to_file("$slow/go", '');
	ok(stop('smart'), 'it waits for the backup');
	unlink "$slow/go";
	start_again();
	is(finished($node, $id), 'completed', 'which is complete') or diag(explain(row_of($node, $id)));
	is($node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.backups'), $format eq 'custom' ? 1 : 2, 'and is not made again');
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
	is(finished($node, $node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'checksum')")), 'completed', 'and good');
}
$node->stop;
done_testing();
