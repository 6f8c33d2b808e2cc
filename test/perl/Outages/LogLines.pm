# What pgbackup writes to the server's log, and what the server writes because of it: all lines that are not about
# sessions of the test, or about the server itself.
package Outages::LogLines;

use strict;
use warnings;

use Exporter 'import';
use PgBackup;

our @EXPORT = qw(log_end most_lines_a_minute);

# By which a line is told from others: when, what kind of process, whose session, what it calls itself.
our %settings = (log_line_prefix => '@%n|%b|%u|%a@ ', log_statement => 'none');

sub log_end { my ($node) = @_; return -s $node->logfile }

# Whether a line is pgbackup's. Before it is known what a session calls itself its role tells.
sub is_ours
{
	my ($process, $role, $application, $text) = @_;
	return 1 if $process eq 'pgbackup launcher' || $application =~ /^pgbackup/;
	return $text =~ /pgbackup/ if $role eq '' || $role eq '[unknown]';
	return 0 if $process !~ /^(?:client backend|parallel worker)$/;
	return $role ne 'tester' && $application ne ($ENV{PGAPPNAME} // '');
}

# The lines of pgbackup in a part of the log: [ time in seconds, text ] each.
sub our_lines
{
	my ($node, $from) = @_;
	my ($is_ours, $time, @lines) = (0, 0);
	for my $line (split /\n/, substr(read_file($node->logfile), $from))
	{
		# What has no prefix belongs to the line before it.
		if ($line =~ /^@([\d.]+)\|([^|]*)\|([^|]*)\|([^@]*)@ (.*)$/) { ($time, $is_ours) = ($1, is_ours($2, $3, $4, $5)) }
		push @lines, [ $time, $line ] if $is_ours;
	}
	return @lines;
}

# The largest number of lines in any 60 seconds since a place in the log, and these lines.
sub most_lines_a_minute
{
	my ($node, $from) = @_;
	my @all = our_lines($node, $from);
	my ($first, $most, $at) = (0, 0, 0);
	for my $last (0 .. $#all)
	{
		++$first while $all[$last][0] - $all[$first][0] >= 60;
		($most, $at) = ($last - $first + 1, $first) if $last - $first + 1 > $most;
	}
	return ($most, map { $_->[1] } @all[ $at .. $at + $most - 1 ]);
}

1;
