# Backups and restores under faults drawn at random. Every run has a seed of its own and can be
# repeated alone by it. From the environment: PGBACKUP_FAULT_RUNS (200), PGBACKUP_FAULT_SEED (by
# time), PGBACKUP_FAULT_MB (300: how much the database stores).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use FaultRun;
use S3;
use Test::More;

plan skip_all => s3_missing() if s3_missing();

my @often = qw(reset_request reset_answer lost_answer truncated stall_request stall_answer trickle
  error_500 slow_down too_many done_500 error_200 done_error_200 wrong_date late_part);

sub one_of { return $_[ int rand @_ ] }

# A plan with up to four kinds; the rare ones cost much time, or end most runs.
sub draw
{
	my ($seed) = @_;
	my @kinds = map { one_of(@often) } 1 .. one_of(1, 2, 3, 4);
	push @kinds, 'no_etag' if rand() < 0.05;
	push @kinds, 'skewed' if rand() < 0.05;
	my %plan = (
		seed => $seed,
		stall => 1 + int rand 4,
		rates => { UploadPart => one_of(0.02, 0.05, 0.15), '' => one_of(0.05, 0.1, 0.2) });
	$plan{stall} = 65 if rand() < 0.02;
	$plan{clock} = one_of(-3600, 3600) if rand() < 0.1;
	$plan{kinds} = \@kinds;
	# Nobody listens for 20 s, once.
	$plan{faults} = [ { kind => 'refuse', operation => one_of('UploadPart', 'Get'), number => 1 + int rand 20 } ]
	  if rand() < 0.05;
	return \%plan;
}

my $runs = $ENV{PGBACKUP_FAULT_RUNS} || 200;
my $first = $ENV{PGBACKUP_FAULT_SEED} // time % 1_000_000_000;
note("seeds $first to " . ($first + $runs - 1) . "; repeat one with scripts/test faults --seed=SEED --runs=1");
my $setup = fault_setup('faults', $ENV{PGBACKUP_FAULT_MB} // 300);
for my $seed ($first .. $first + $runs - 1)
{
	srand $seed;
	my $format = one_of('custom', 'parallel');
	my ($backup, $restore) = (draw("$seed/backup"), draw("$seed/restore"));
	undef $restore if rand() < 0.3;
	fault_run(
		$setup,
		title => "seed $seed $format [@{ $backup->{kinds} }]" . ($restore ? " [@{ $restore->{kinds} }]" : ''),
		create => "format => '$format'",
		backup => $backup,
		restore => $restore,
		may_miss => 1);
}
fault_end($setup);
done_testing();
