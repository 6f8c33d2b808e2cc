# Backups while everything changes: whatever completes is one moment of the database, in all of its
# objects, and whatever does not complete says why.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $runs = $ENV{PGBACKUP_CONSISTENCY_RUNS} // 50;

# Splitting from a megabyte on makes several lanes read one table.
my $node = new_cluster(
	'consistency',
	fsync => 'off',
	'pgbackup.format' => 'parallel',
	'pgbackup.jobs' => 3,
	'pgbackup.split_table_size' => '1MB',
	'pgbackup.lock_wait_timeout' => '1s',
	'pgbackup.retry_count' => 0,
	'pgbackup.include_globals' => 'off');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE bank');
$node->safe_psql('bank', read_file(fixture('fixtures/bank.sql')));

sub load
{
	my ($clients, $script) = @_;
	my $log = $node->basedir . "/pgbench_$clients.log";
	return IPC::Run::start(
		[ $node->installed_command('pgbench'), '-n', '-c', $clients, '-T', '3600', '-h', $node->host, '-p', $node->port,
		  '-f', fixture("fixtures/$script"), '--max-tries', '1000', 'bank' ],
		'>', $log, '2>&1');
}

my @loads = (load(2, 'bank_load.sql'), load(1, 'bank_ddl.sql'));
$node->poll_query_until('bank', 'SELECT count(*) > 20 FROM bank.history') or die;

my ($completed, $failed, $ranges, @broken, @unexplained) = (0, 0, 0);
for my $run (1 .. $runs)
{
	my $id = start_backup($node, q{'bank'});
	my $status = finished($node, $id);
	my $row = row_of($node, $id);
	if ($status ne 'completed')
	{
		$failed++;
		push @unexplained, "$id: $row->{message}"
		  unless $row->{message} =~ /could not lock|gave way|lock timeout|created or dropped faster/ && $row->{hint} ne '';
		push @unexplained, "$id: left " . join ' ', storage_files("$store/$row->{file_name}")
		  if storage_files("$store/$row->{file_name}");
		next;
	}
	$completed++;
	$ranges += grep { /data-.*\.sql/ } storage_files("$store/$row->{file_name}");
	my ($code, undef, $err) = $node->psql('postgres', "CALL pgbackup.run_restore($id, 'back')");
	push @broken, "$id: $err" if $code != 0;
	push @broken, map { "$id: $_" } split /\n/, $node->safe_psql('back', 'SELECT bank.broken()') if $code == 0;
	$node->safe_psql('postgres', "DROP DATABASE IF EXISTS back; SELECT pgbackup.delete($id, delete_objects => true)");
}
my $moved = $node->safe_psql('bank', 'SELECT count(*) FROM bank.history');
my @running = grep { $_->pumpable } @loads;
$_->kill_kill for @loads;

is(scalar @running, 2, 'the load went on all the time') or diag(read_file($node->basedir . '/pgbench_1.log'), read_file($node->basedir . '/pgbench_2.log'));
note("$completed of $runs backups completed, $failed gave up, $moved changes meanwhile");
is_deeply(\@broken, [], "what completed is one moment of the database, in $completed restores");
is_deeply(\@unexplained, [], 'what did not says why and left nothing');
# How many a statement comes in between of depends on how fast the machine is.
cmp_ok($completed, '>=', $runs / 5, 'many of them completed');
cmp_ok($ranges, '>', 2 * $completed, 'their tables were read in ranges');
cmp_ok($moved, '>', 10 * $runs, 'while a lot was changed');
is($node->safe_psql('bank', 'SELECT count(*) FROM bank.broken()'), 0, 'the source itself was never broken');

$node->stop;
done_testing();
