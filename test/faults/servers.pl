# Servers and copies of them on one storage, in schedules drawn at random; each has a seed of its own and can be
# repeated alone by it. From the environment: PGBACKUP_FAULT_SCHEDULES (500), PGBACKUP_FAULT_SEED (by time).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use S3;
use SharedStorage;
use Test::More;

my $schedules = $ENV{PGBACKUP_FAULT_SCHEDULES} || 500;
my $first = $ENV{PGBACKUP_FAULT_SEED} // time % 1_000_000_000;
note("seeds $first to " . ($first + $schedules - 1));
my $setup = shared_setup();
for my $seed ($first .. $first + $schedules - 1)
{
	shared_schedule($setup, $seed, $seed % 2 == 0 && !s3_missing());
}
shared_end($setup);
done_testing();
