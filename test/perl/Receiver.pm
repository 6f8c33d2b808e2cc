# The servers of test/notify, which take what is sent to them and keep it for a test to look at.
package Receiver;

use strict;
use warnings;

use Exporter 'import';
use File::Path qw(make_path);
use IPC::Run;
use JSON::PP;
use PgBackup;
use Test::More;

our @EXPORT = qw(start_receiver requests_of answers_of answers_to wait_for_requests write_secret warnings_in);

my @running;

# Starts a program of test/notify in a folder of its own; returns its handle, folder and port.
sub start_receiver
{
	my ($program, $folder, @arguments) = @_;
	make_path($folder);
	unlink "$folder/port";
	my $handle = IPC::Run::start([ fixture("notify/$program"), $folder, @arguments ], '<', \undef);
	push @running, $handle;
	wait_for_file("$folder/port");
	return ($handle, read_file("$folder/port"));
}

# What a webhook_receiver was sent: hashes with path, type, body and answer.
sub requests_of
{
	my ($folder) = @_;
	return map { decode_json($_) } split /\n/, read_file("$folder/requests") // '';
}

sub wait_for_requests
{
	my ($folder, $count) = @_;
	wait_until(sub { scalar(() = requests_of($folder)) >= $count }, "$count requests");
	return requests_of($folder);
}

# What it answers next.
sub answers_of
{
	my ($folder, @words) = @_;
	open my $file, '>', "$folder/answers.write" or die "answers: $!";
	print $file map { "$_\n" } @words;
	close $file;
	rename "$folder/answers.write", "$folder/answers" or die "answers: $!";
	return;
}

# What a receiver always answers: a webhook_receiver by path (FOLDER/paths), a mail_receiver by address
# (FOLDER/recipients). Without any, as it does else.
sub answers_to
{
	my ($file, %answers) = @_;
	open my $handle, '>', "$file.write" or die "$file: $!";
	print $handle encode_json(\%answers);
	close $handle;
	rename "$file.write", $file or die "$file: $!";
	return;
}

# A file that only its owner may read.
sub write_secret
{
	my ($path, $text) = @_;
	unlink $path;
	open my $file, '>', $path or die "$path: $!";
	print $file $text;
	close $file;
	chmod 0600, $path;
	return $path;
}

# How often the server's log warns, from a position in it, that notifications cannot be sent.
sub warnings_in
{
	my ($node, $channel, $from) = @_;
	my $log = substr(read_file($node->logfile), $from);
	return scalar(() = $log =~ /WARNING:  pgbackup: notifications cannot be sent by $channel/g);
}

END
{
	my $status = $?;
	$_->kill_kill(grace => 1) for @running;
	$? = $status;
}

1;
