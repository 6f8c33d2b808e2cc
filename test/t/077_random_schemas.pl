# A few databases of what test/random/schemas.pl runs hundreds of.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use RandomRun;
use Test::More;

my $setup = random_setup();
# Among them are one of a role without rights, one with a table whose indexes are built early, and hashes of enums.
random_run($setup, $_) for 4, 16, 29, 36;
random_end($setup);
done_testing();
