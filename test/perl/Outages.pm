# Ways to stop backups, in one table, and the judgement on each: health() is not healthy within two minutes, once the cause
# is gone everything goes on by itself, and the server's log is not flooded meanwhile.
#
# Outages/*.pm have the table, a file for each group, of `outages`. Of each: `name`, `short` for one of the short set, `begin`
# and `end`, which get the cluster of the test (Outages/Cluster.pm), and `reason`, what health() says. `begin` returns once
# the cause is at work. Without `end` it goes by itself. `harmless`: nothing is to stop. `needs`: whether it is possible.
package Outages;

use strict;
use warnings;

use Exporter 'import';
use Outages::Catalog;
use Outages::Cluster;
use Outages::Locks;
use Outages::LogLines;
use Outages::Patience;
use Outages::Processes;
use Outages::Roles;
use Outages::Server;
use Outages::Settings;
use Outages::Storage;
use Test::More;

our @EXPORT = qw(outages_of short_outages test_outages);

my %groups = (
	processes => \&Outages::Processes::outages,
	locks => \&Outages::Locks::outages,
	catalog => \&Outages::Catalog::outages,
	settings => \&Outages::Settings::outages,
	roles => \&Outages::Roles::outages,
	server => \&Outages::Server::outages,
	storage => \&Outages::Storage::outages,
	patience => \&Outages::Patience::outages);

my $noticed_within = 120;
# A slot of the schedule comes once a minute, and a server or a launcher may have to start first.
my $resumed_within = 180;
# So long each lasts, for the log to show what it comes to; not in the short set.
my $lasts = 61;
# Of the server's log, by pgbackup.
my $lines_a_minute = 10;

sub outages_of { my ($group) = @_; return $groups{$group}->() }
sub short_outages { return grep { $_->{short} } map { outages_of($_) } sort keys %groups }

sub seconds { return defined $_[0] ? sprintf('%5.1f s', $_[0]) : '  never' }

# One assertion for each outage; its title is a line of the table: how long until it was noticed and until all went on, and
# how many lines a minute there were at most. PGBACKUP_TEST_OUTAGE: only those whose names match.
sub test_outages
{
	my ($name, @wanted) = @_;
	@wanted = grep { $_->{name} =~ /$ENV{PGBACKUP_TEST_OUTAGE}/ } @wanted if defined $ENV{PGBACKUP_TEST_OUTAGE};
	plan skip_all => 'no outage is chosen' unless @wanted;
	local $ENV{AWS_ACCESS_KEY_ID} = 'key';
	local $ENV{AWS_SECRET_ACCESS_KEY} = 'secret';
	my $cluster = Outages::Cluster->new($name, own_installation => $name eq 'server');
	$cluster->{is_short} = $name eq 'short';
	my ($ready, $first) = $cluster->await_backup($resumed_within);
	ok(defined $ready, 'at first all is well') or diag($first);
	for my $outage (@wanted)
	{
	  SKIP:
		{
			skip "$outage->{name}: not possible here", 1 if $outage->{needs} && !$outage->{needs}->($cluster);
			test_outage($cluster, $outage);
		}
	}
	$cluster->{node}->stop('fast');
	done_testing();
	return;
}

sub test_outage
{
	my ($cluster, $outage) = @_;
	my ($noticed, $said, $resumed, $after) = (undef, '');
	my $began = time;
	my $node = $cluster->{node};
	my $log = log_end($node);
	eval
	{
		$outage->{begin}->($cluster);
		if ($outage->{harmless}) { ($noticed, $said) = $cluster->await_backup($noticed_within) }
		else { ($noticed, $said) = $cluster->await($noticed_within, sub { $_[0] =~ $outage->{reason} }) }
		sleep $began + $lasts - time if !$cluster->{is_short} && time < $began + $lasts;
		$outage->{end}->($cluster) if $outage->{end};
		($resumed, $after) = $cluster->await_backup($outage->{resumed_within} // $resumed_within);
		1;
	} or $after = $@;
	my ($lines, @lines) = most_lines_a_minute($cluster->{node}, $cluster->{node} == $node ? $log : 0);
	ok(defined $noticed && defined $resumed && $lines <= $lines_a_minute,
		sprintf '%-42s %s %s, resumed %s, %2d lines a minute', $outage->{name}, $outage->{harmless} ? 'goes on' : 'noticed',
		seconds($noticed), seconds($resumed), $lines)
	  or diag("during: $said", "\nafterwards: " . ($after // ''), $lines > $lines_a_minute ? join("\n", "\nthe log:", @lines) : ());
	$cluster->unlock;
	return;
}

1;
