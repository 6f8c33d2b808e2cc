# Several servers, copies of servers and runs on one directory (Ownership.pm).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Ownership;
use PostgreSQL::Test::Utils;
use SharedFolder;
use Test::More;

test_ownership(SharedFolder->in_directory(PostgreSQL::Test::Utils::tempdir()));
done_testing();
