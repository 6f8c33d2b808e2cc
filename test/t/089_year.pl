# Some days of a year of two schedules, with outages: the whole is `scripts/test year`.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use FakeClock;
use Test::More;
use Year;

plan skip_all => 'libfaketime is not installed' unless find_fake_clock();
my $seed = $ENV{PGBACKUP_TEST_SEED} // int(rand(2**31));
srand $seed;
diag("seed: $seed");
simulate(days => $ENV{PGBACKUP_TEST_DAYS} // 12, daily => $ENV{PGBACKUP_TEST_DAILY} // 2, weekly => $ENV{PGBACKUP_TEST_WEEKLY} // 4, outages => $ENV{PGBACKUP_TEST_OUTAGES} // 0.9);
done_testing();
