# A file system that hangs keeps agents in the kernel, where no signal ends them: no session, no run and no
# shutdown waits for them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IO::Socket::INET;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use Unkillable;

plan skip_all => 'processes cannot be traced here' unless can_hold();

# What waits without a bound takes the whole of this.
my $long_seconds = 60;

my $node = new_cluster('hung_storage', 'pgbackup.max_concurrent' => 2);
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
my $slow = slow_programs($node);
my $sessions = q{SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^pgbackup (backup|restore|verify) '};

sub children_of
{
	my ($parent) = @_;
	return grep { (read_file("/proc/$_/stat") // '') =~ /^\d+ \(.*\) \S $parent /s } processes_of('');
}

# Runs something that ends and is true then; remarks how long it took.
sub in_time
{
	my ($what, $title) = @_;
	my $begin = time;
	my $is_true = $what->();
	my $took = time - $begin;
	ok($is_true && $took < $long_seconds, sprintf '%s (after %.1f s)', $title, $took);
	return;
}

#
# The launcher: cancel and timeout.
#
restart_settings($node, 'pgbackup.bin_directory' => $slow);
my $cancelled = start_backup($node, q{'shop'});
wait_for_file("$slow/reached");
my $agent = agent_of($node, $cancelled);
my $held = hold($agent) or die "could not hold process $agent";
restart_settings($node, 'pgbackup.timeout' => '5');
my $overdue = start_backup($node, q{'shop'});
my $other_agent = agent_of($node, $overdue);
my $other_held = hold($other_agent) or die "could not hold process $other_agent";

$node->safe_psql('postgres', "SELECT pgbackup.cancel($cancelled)");
my $ended = q{SELECT count(*) = 1 FROM pgbackup.backups WHERE status IN ('cancelled', 'failed') AND id = };
in_time(sub { $node->poll_query_until('postgres', $ended . $cancelled) }, 'a run is cancelled');
in_time(sub { $node->poll_query_until('postgres', $ended . $overdue) }, 'a run that takes too long ends');
is(row_of($node, $cancelled)->{status}, 'cancelled', 'the row says cancelled');
is(row_of($node, $overdue)->{status}, 'failed', 'the other one failed');
like(row_of($node, $overdue)->{message}, qr/took longer than pgbackup.timeout/, 'and says of what');
ok(-d "/proc/$agent", 'the agent is still there');
ok(-d "/proc/$other_agent", 'so is the other one');
in_time(sub { $node->poll_query_until('postgres', $sessions, '0') }, 'their sessions have ended');
like(slurp_file($node->logfile), qr/pgbackup agent with PID $agent could not be killed/, "the server's log names it");

my $launcher = launcher_pid($node);
let_go($held);
let_go($other_held);
wait_until(sub { children_of($launcher) == 0 }, 'the end of what was abandoned');
pass('processes that end later are reaped');

restart_settings($node, 'pgbackup.timeout' => '0', 'pgbackup.bin_directory' => '');
is(finished($node, start_backup($node, q{'shop'})), 'completed', 'the next run works');

#
# A backend that asks an agent. The store takes connections and does not answer.
#
my $silent = IO::Socket::INET->new(Listen => 10, LocalAddr => '127.0.0.1') or die "listen: $!";
local $ENV{AWS_ACCESS_KEY_ID} = 'key';
local $ENV{AWS_SECRET_ACCESS_KEY} = 'secret';
restart_settings($node, 'pgbackup.storage' => 's3://bucket/prefix',
	'pgbackup.s3_endpoint' => 'http://127.0.0.1:' . $silent->sockport);
$node->restart;

# A session in which the agent of a question hangs: a handle, the process ids of backend and agent, and what
# holds the agent.
sub hung_question
{
	my ($question) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $backend = $session->query('SELECT pg_backend_pid()');
	$session->query_until(qr/asked/, "\\echo asked\n$question;\n\\echo answered\n");
	my @agents;
	wait_until(sub { @agents = children_of($backend); @agents == 1 && -e "/proc/$agents[0]/task" &&
			(read_file("/proc/$agents[0]/cmdline") // '') =~ /^pgbackup\0agent/ && (() = glob "/proc/$agents[0]/task/*") > 1 },
		'the agent of a question');
	return ($session, $backend, $agents[0], hold($agents[0]) // die "could not hold process $agents[0]");
}

for my $question ('SELECT * FROM pgbackup.check()', 'SELECT pgbackup.import()', 'SELECT * FROM pgbackup.cleanup(true)')
{
	my ($session, $backend, $pid, $tracer) = hung_question($question);
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($backend)");
	in_time(sub { $session->query_until(qr/answered/, ''); 1 }, "$question can be cancelled");
	ok(-d "/proc/$pid", 'its agent is still there');
	let_go($tracer);
	wait_until(sub { $session->query("SELECT pgbackup.import('file://$store')"); children_of($backend) == 0 },
		"the end of the agent of $question");
	pass('another question reaps it');
	$session->quit;
}

#
# Fast shutdown while a run, a question and a session that has been cancelled have agents that hang.
#
my ($session, $backend, undef, $tracer) = hung_question('SELECT * FROM pgbackup.check()');
my $run = start_backup($node, q{'shop'});
my $hung_run = hold(agent_of($node, $run)) or die 'could not hold the agent';
$node->safe_psql('postgres', "SELECT pg_cancel_backend($backend)");
in_time(sub { $node->stop('fast'); 1 }, 'the server stops');
let_go($_) for $tracer, $hung_run;
$session->{run}->finish;
$node->start;
$node->stop;

done_testing();
