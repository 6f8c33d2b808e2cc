# A few schedules of what test/faults/servers.pl runs hundreds of.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use S3;
use SharedStorage;
use Test::More;

my $setup = shared_setup();
shared_schedule($setup, $_, $_ % 2 == 0 && !s3_missing()) for 1 .. 6;
shared_end($setup);
done_testing();
