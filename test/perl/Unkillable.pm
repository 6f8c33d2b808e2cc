# Processes that SIGKILL does not end, as it is with one that waits in the kernel for a file system that hangs.
#
# Their first threads are traced: such a thread stops at once, and once more at its exit, where it still has the
# descriptors, and stays there until the tracer lets go. Other threads go on. Needs no rights but those to trace one's
# own processes.
package Unkillable;

use strict;
use warnings;

use Exporter 'import';
use POSIX ();

our @EXPORT = qw(can_hold hold let_go);

# Of ptrace(2): number of the system call by machine, requests, option.
my %NUMBER = (x86_64 => 101, aarch64 => 117, riscv64 => 117, ppc64le => 26, s390x => 26);
my ($SEIZE, $INTERRUPT, $TRACE_EXIT) = (0x4206, 0x4207, 0x40);

my $owner = $$;
my %tracers;  # process ids

# A test that dies lets go, too.
END
{
	local $?;
	let_go($_) for $$ == $owner ? keys %tracers : ();
}

sub ptrace
{
	my ($request, $pid, $data) = @_;
	return syscall($NUMBER{ (POSIX::uname())[4] }, $request, $pid + 0, 0, $data) == 0;
}

# Makes a process unkillable until let_go is called with what this returns, the process id of the tracer; returns
# nothing where that is not allowed.
sub hold
{
	my ($pid) = @_;
	return unless $NUMBER{ (POSIX::uname())[4] };
	pipe(my $told, my $tell) or die "pipe: $!";
	my $tracer = fork // die "fork: $!";
	if ($tracer == 0)
	{
		close $told;
		my $ok = ptrace($SEIZE, $pid, $TRACE_EXIT) && ptrace($INTERRUPT, $pid, 0);
		syswrite $tell, $ok ? 'y' : 'n';
		sleep;
	}
	$tracers{$tracer} = 1;
	close $tell;
	sysread $told, my $answer, 1;
	return $tracer if ($answer // '') eq 'y';
	let_go($tracer);
	return;
}

sub let_go
{
	my ($tracer) = @_;
	kill 'KILL', $tracer;
	waitpid $tracer, 0;
	delete $tracers{$tracer};
	return;
}

# Whether processes of one's own can be traced here.
sub can_hold
{
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		sleep 60;
		POSIX::_exit(0);
	}
	my $held = hold($pid);
	kill 'KILL', $pid;
	let_go($held) if $held;
	waitpid $pid, 0;
	return defined $held;
}

1;
