# The store of test/s3/odd_store, whose oddities a test switches while it runs.
package OddStore;

use strict;
use warnings;

use Exporter 'import';
use File::Path qw(make_path);
use HTTP::Tiny;
use IPC::Run;
use PgBackup qw(fixture read_file wait_for_file);
use Symbol qw(gensym);

# A running store without an oddity. It ends with this process, whatever ends that.
sub new
{
	my ($class, $folder) = @_;
	my $self = bless { errors => '' }, $class;
	make_path($folder);
	$self->{process} = IPC::Run::start(
		[ fixture('s3/odd_store'), $folder ], '<pipe', $self->{lifeline} = gensym, '2>', \$self->{errors});
	wait_for_file("$folder/port");
	$self->{address} = '127.0.0.1:' . read_file("$folder/port");
	return $self;
}

# Where S3 clients find it.
sub endpoint
{
	my ($self) = @_;
	return "http://$self->{address}";
}

sub ask
{
	my ($self, $method, $what) = @_;
	my $answer = HTTP::Tiny->new->request($method, $self->endpoint . "/_/$what");
	die "the odd store answered $answer->{status}: $answer->{content}" unless $answer->{success};
	return $answer->{content};
}

# From now on it is odd in this one way ("none": in none), and gives so many names per page.
sub be
{
	my ($self, $name, %more) = @_;
	my %query = (name => $name, argument => $more{argument} // '', page => $more{page} // 1000);
	$self->ask('GET', 'odd?' . HTTP::Tiny->new->www_form_urlencode(\%query));
	return;
}

# The keys it holds, with their bucket; and the requests since it was told how to be.
sub keys { return split /\n/, $_[0]->ask('GET', 'keys') }
sub log { return split /\n/, $_[0]->ask('GET', 'log') }

sub empty { return $_[0]->ask('DELETE', 'keys') }

sub DESTROY
{
	my ($self) = @_;
	$self->{process}->kill_kill if $self->{process};
	return;
}

1;
