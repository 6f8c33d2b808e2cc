# A server that adopts processes without a parent, as the first process of a container does, is not disturbed by what
# agents leave: their end is no crash of a session.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IO::Socket::INET;
use PgBackup;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Unkillable;

# Of prctl(2): number of the system call by machine, and the operation that makes a process adopt orphans. It lasts
# through exec.
my %NUMBER = (x86_64 => 157, aarch64 => 167, riscv64 => 167, ppc64le => 171, s390x => 172);
my $number = $NUMBER{ (POSIX::uname())[4] };
my $ADOPT = 36;
my ($owner, $server) = ($$, 0);

END
{
	local $?;
	kill 'QUIT', $server if $server && $$ == $owner;
}

plan skip_all => 'no number for prctl' unless $number;

my $node = new_cluster('adopted');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
my $slow = slow_programs($node);
restart_settings($node, 'pgbackup.bin_directory' => $slow);
$node->stop;

# The same server again, as one that adopts.
sub start_adopting
{
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		open STDOUT, '>>', $node->logfile or POSIX::_exit(1);
		open STDERR, '>&', \*STDOUT or POSIX::_exit(1);
		syscall($number, $ADOPT, 1, 0, 0, 0) == 0 or POSIX::_exit(1);
		local $ENV{AWS_ACCESS_KEY_ID} = 'key';
		local $ENV{AWS_SECRET_ACCESS_KEY} = 'secret';
		exec $node->config_data('--bindir') . '/postgres', '-D', $node->data_dir or POSIX::_exit(1);
	}
	my @is_ready = ($node->installed_command('pg_isready'), '--quiet', '--host', $node->host, '--port', $node->port);
	wait_until(sub { system(@is_ready) == 0 }, 'the server');
	$node->poll_query_until('postgres', 'SELECT pgbackup.launcher_pid() IS NOT NULL') or die;
	return $pid;
}

sub stop_adopting
{
	my ($pid) = @_;
	kill 'INT', $pid;
	waitpid $pid, 0;
	$server = 0;
	return $?;
}

sub begin_run
{
	unlink "$slow/reached";
	my $id = start_backup($node, q{'shop'});
	wait_for_file("$slow/reached");
	return ($id, agent_of($node, $id));
}

$server = start_adopting();
my $session = $node->background_psql('postgres');
my $backend = $session->query_safe('SELECT pg_backend_pid()');

# An agent is killed; its children lose their parent.
my ($id, $agent) = begin_run();
kill 'KILL', $agent;
is(finished($node, $id), 'failed', 'an agent that is killed fails its run');
wait_until(sub { scalar(processes_of("$slow/pg_dump")) == 0 }, 'the end of pg_dump');
is($session->query_safe('SELECT pg_backend_pid()'), $backend, 'and disturbs no session');

# The launcher ends; the agent loses its parent.
($id, $agent) = begin_run();
my $launcher = launcher_pid($node);
$node->safe_psql('postgres', "SELECT pg_terminate_backend($launcher)");
wait_until(sub { !-d "/proc/$agent" }, 'the end of the agent');
$node->poll_query_until('postgres', "SELECT status = 'failed' FROM pgbackup.backups WHERE id = $id") or die;
is($session->query_safe('SELECT pg_backend_pid()'), $backend, 'nor does an agent whose launcher has ended');
$session->quit;

# A backend gives up an agent that cannot be killed, and ends before it. The store takes connections and does not
# answer.
SKIP:
{
	skip 'processes cannot be traced here', 1 unless can_hold();
	my $silent = IO::Socket::INET->new(Listen => 10, LocalAddr => '127.0.0.1') or die "listen: $!";
	my $place = 's3://bucket/prefix?endpoint=http://127.0.0.1:' . $silent->sockport;
	my $asking = $node->background_psql('postgres', on_error_stop => 0);
	my $asking_pid = $asking->query('SELECT pg_backend_pid()');
	$asking->query_until(qr/asked/, "\\echo asked\nSELECT pgbackup.import('$place');\n\\echo answered\n");
	my $connection = $silent->accept;
	my ($asked) = grep { (read_file("/proc/$_/stat") // '') =~ /^\d+ \(.*\) \S $asking_pid /s } processes_of('pgbackup agent');
	my $tracer = hold($asked) // die "could not hold process $asked";
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($asking_pid)");
	$asking->query_until(qr/answered/, '');
	$asking->quit;
	ok(-d "/proc/$asked", 'an agent outlives the session that asked it');
	let_go($tracer);
	wait_until(sub { !-d "/proc/$asked" }, 'the end of the agent');
}

# The server is stopped during a run.
($id, $agent) = begin_run();
is(stop_adopting($server), 0, 'the server is shut down during a run');
wait_until(sub { !-d "/proc/$agent" }, 'the end of the agent');
unlike(slurp_file($node->logfile), qr/terminating any other active server processes|abnormal database system shutdown/,
	'and never took the end of an agent for a crash');

done_testing();
