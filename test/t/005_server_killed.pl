# kill -9 of the launcher or the postmaster: no agent, no pg_dump, no run in progress, no leftovers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# PostgreSQL's test clusters do not restart after a crash unless told to; real ones do.
my $node = new_cluster('server_killed', restart_after_crash => 'on');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
my $slow = slow_programs($node);

sub caught_in_the_middle
{
	unlink "$slow/reached";
	restart_settings($node, 'pgbackup.bin_directory' => $slow);
	my $id = start_backup($node, q{'shop', format => 'parallel'});
	wait_for_file("$slow/reached");
	my $agent = agent_of($node, $id);
	return ($id, $agent);
}

sub nothing_is_left_of
{
	my ($agent, $title) = @_;
	wait_until(sub { !-e "/proc/$agent" && !processes_of("$slow/pg_dump") }, 'the end of agent and pg_dump', 10);
	pass("$title: agent and pg_dump are gone within ten seconds");
	return;
}

sub row_is_failed
{
	my ($id, $title) = @_;
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pgbackup.backups WHERE status = 'in_progress'}) or die;
	my $row = row_of($node, $id);
	is($row->{status}, 'failed', "$title: the run is failed");
	like($row->{message}, qr/interrupted/, "$title: the row says why");
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
	is_deeply([ storage_files($store) ], [], "$title: nothing is left in storage");
	return;
}

# The launcher dies by kill -9: the server restarts all its processes, that is its rule.
my ($id, $agent) = caught_in_the_middle();
kill 'KILL', launcher_pid($node);
nothing_is_left_of($agent, 'launcher killed');
$node->poll_query_until('postgres', 'SELECT pgbackup.launcher_pid() IS NOT NULL') or die;
row_is_failed($id, 'launcher killed');

# The postmaster dies by kill -9.
($id, $agent) = caught_in_the_middle();
my $postmaster_file = $node->data_dir . '/postmaster.pid';
$node->kill9;
nothing_is_left_of($agent, 'postmaster killed');
wait_until(sub { !processes_of($node->data_dir) }, 'the end of the server', 30);
unlink $postmaster_file;
$node->start;
row_is_failed($id, 'postmaster killed');

restart_settings($node, 'pgbackup.bin_directory' => '');
$id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'the next run works');

$node->stop;
done_testing();
