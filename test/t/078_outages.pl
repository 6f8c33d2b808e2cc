# Whatever stops backups is in health() within two minutes, and all goes on by itself when the cause is gone: a short set;
# test/outages has all.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use Outages;

test_outages('short', short_outages());
