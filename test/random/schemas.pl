# Random databases through every format, compared with what PostgreSQL's own programs make of them. Each has a seed of
# its own and can be repeated alone by it. From the environment: PGBACKUP_RANDOM_RUNS (300), PGBACKUP_RANDOM_SEED (by time).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use RandomRun;
use Test::More;

my $runs = $ENV{PGBACKUP_RANDOM_RUNS} || 300;
my $first = $ENV{PGBACKUP_RANDOM_SEED} // time % 1_000_000_000;
note("seeds $first to " . ($first + $runs - 1) . "; repeat one with scripts/test random-schemas --seed=SEED --runs=1");
my $setup = random_setup();
random_run($setup, $_) for $first .. $first + $runs - 1;
random_end($setup);
done_testing();
