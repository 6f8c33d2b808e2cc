# A few databases of what test/random/schemas.pl runs hundreds of.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use RandomRun;
use Test::More;

my $setup = random_setup();
random_run($setup, $_) for 1 .. 4;
random_end($setup);
done_testing();
