# A server whose clock the test sets (libfaketime): time passes at once.
package FakeClock;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time);

our @EXPORT = qw(find_fake_clock use_fake_clock give_clock pass_time fake_now);

my ($offset, $file) = (0);

# The library, or '' when it is not installed (Debian: libfaketime).
sub find_fake_clock
{
	my ($library) = glob '/usr/lib/*/faketime/libfaketime.so.1';
	return $library // '';
}

# Servers that are started from now on, and their children, go by the test's clock. With `steady`, only the time of day
# can be set, as an administrator does; otherwise all time passes.
sub use_fake_clock
{
	my (%options) = @_;
	$file = PostgreSQL::Test::Utils::tempdir() . '/clock';
	pass_time(0);
	$ENV{FAKETIME_TIMESTAMP_FILE} = $file;
	$ENV{FAKETIME_NO_CACHE} = 1;
	$ENV{NO_FAKE_STAT} = 1;  # times of files do not move with it
	$ENV{DONT_FAKE_MONOTONIC} = 1 if $options{steady};
	return;
}

# Before version 16 the server starts its first processes while it waits, when the library leaves the time alone, which they
# inherit: the launcher that comes after the first one goes by the test's clock.
sub give_clock
{
	my ($node) = @_;
	my $first = $node->safe_psql('postgres', 'SELECT pgbackup.launcher_pid()');
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($first)");
	$node->poll_query_until('postgres', "SELECT pgbackup.launcher_pid() <> $first") or die;
	return;
}

# Sets the clock forward, or back, by so many seconds.
sub pass_time
{
	my ($seconds) = @_;
	$offset += $seconds;
	open my $handle, '>', "$file.new" or die "$file: $!";
	printf $handle "%+.3f\n", $offset;
	close $handle or die "$file: $!";
	rename "$file.new", $file or die "$file: $!";
	return;
}

sub fake_now { return time + $offset }

1;
