# The outages of this group, one after the other.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use Outages;

test_outages('server', outages_of('server'));
