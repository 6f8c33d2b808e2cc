# A port that leads to another one, once it is opened: a store that is away and comes back.
package Forwarder;

use strict;
use warnings;

use Exporter 'import';
use IO::Select;
use IO::Socket::INET;

our @EXPORT = qw(open_forwarder close_forwarder);

my %children;

# Forwards 127.0.0.1:$from to 127.0.0.1:$to in a process of its own; returns when it listens.
sub open_forwarder
{
	my ($from, $to) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$from", Listen => 64, ReuseAddr => 1)
	  or die "port $from: $@";
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		serve($listener, $to);
		exit 0;
	}
	$children{$pid} = 1;
	return $pid;
}

sub close_forwarder
{
	my ($pid) = @_;
	kill 'KILL', $pid;
	waitpid $pid, 0;
	delete $children{$pid};
	return;
}

sub serve
{
	my ($listener, $to) = @_;
	%children = ();
	my $all = IO::Select->new($listener);
	my %peer;
	local $SIG{PIPE} = 'IGNORE';
	while (1)
	{
		for my $socket ($all->can_read)
		{
			if ($socket == $listener)
			{
				my $client = $listener->accept or next;
				my $server = IO::Socket::INET->new("127.0.0.1:$to") or next;
				@peer{ $client, $server } = ($server, $client);
				$all->add($client, $server);
				next;
			}
			my $other = $peer{$socket} // next;
			my $got = sysread $socket, my $bytes, 65536;
			next if $got && print {$other} $bytes and $other->flush;
			delete @peer{ $socket, $other };
			$all->remove($socket, $other);
			close $_ for $socket, $other;
		}
	}
	return;
}

END
{
	my $status = $?;
	close_forwarder($_) for keys %children;
	$? = $status;
}

1;
