# The same as 061_ownership.pl in a bucket.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Ownership;
use S3;
use SharedFolder;
use Test::More;

plan skip_all => s3_missing() if s3_missing();
test_ownership(SharedFolder->in_s3("t071-$$"));
done_testing();
