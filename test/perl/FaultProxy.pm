# The fault proxy (test/s3/fault_proxy) in front of the S3 server that the test run has started.
package FaultProxy;

use strict;
use warnings;

use HTTP::Tiny;
use IPC::Run;
use JSON::PP qw(encode_json);
use PgBackup qw(fixture wait_until);
use PostgreSQL::Test::Cluster;
use Symbol qw(gensym);

# A running proxy without a plan. It ends with this process, whatever ends that.
sub new
{
	my ($class) = @_;
	my $self = bless {
		port => PostgreSQL::Test::Cluster::get_free_port(),
		control => PostgreSQL::Test::Cluster::get_free_port(),
		errors => '' }, $class;
	my ($upstream) = $ENV{PGBACKUP_TEST_S3_ENDPOINT} =~ m{^http://(.*)$};
	$self->{process} = IPC::Run::start(
		[ fixture('s3/fault_proxy'), '--port', $self->{port}, '--control', $self->{control},
			'--upstream', $upstream, '--credentials', $ENV{PGBACKUP_TEST_S3_CREDENTIALS_FILE}, '--until-eof' ],
		'<pipe', $self->{lifeline} = gensym, '2>', \$self->{errors});
	wait_until(sub { HTTP::Tiny->new->get($self->address('log'))->{success} }, 'the fault proxy', 20);
	return $self;
}

sub address
{
	my ($self, $what) = @_;
	return "http://127.0.0.1:$self->{control}/$what";
}

# Where S3 clients find it.
sub endpoint
{
	my ($self) = @_;
	return "http://127.0.0.1:$self->{port}";
}

# Asks the control port; dies unless it agrees.
sub ask
{
	my ($self, $method, $what, $content) = @_;
	my $answer = HTTP::Tiny->new->request($method, $self->address($what), { content => $content // '' });
	die "the fault proxy answered $answer->{status}: $answer->{content}" unless $answer->{success};
	return $answer->{content};
}

# Lets happen what the plan says (see test/s3/fault_plan.py).
sub plan
{
	my ($self, %plan) = @_;
	$self->ask('PUT', 'plan', encode_json(\%plan));
	return;
}

# Ends all faults, and waits for what is still on its way; returns the faults there were.
sub calm
{
	my ($self) = @_;
	$self->ask('DELETE', 'plan');
	return split /\n/, $self->ask('GET', 'log');
}

# Ends the proxy; returns what it had to complain about.
sub stop
{
	my ($self) = @_;
	$self->{process}->pump_nb;
	$self->{process}->kill_kill;
	delete $self->{process};
	return $self->{errors};
}

sub DESTROY
{
	my ($self) = @_;
	$self->stop if $self->{process};
	return;
}

1;
