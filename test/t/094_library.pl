# An upgrade replaces the library's file under a server that has loaded it, or goes without ALTER EXTENSION ... UPDATE:
# health() and check() say so.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Installation;
use PgBackup;
use PostgreSQL::Test::Cluster;
use Test::More;

my $node = new_cluster('node', -install_path => copy_of_installation(), 'pgbackup.databases' => 'postgres');
my $library = library_of($node);

sub value { return $node->safe_psql('postgres', $_[0]) }
sub reasons { return value(q{SELECT r FROM pgbackup.health(), unnest(reasons) AS r WHERE r ~ 'library|could not access'}) }
sub rows { return value(q{SELECT status, detail FROM pgbackup.check() WHERE item = 'library'}) }

is(finished($node, start_backup($node, q{'postgres'})), 'completed', 'a backup completes');
is(reasons() . rows(), '', 'the library is what was loaded');

change_library($node, sub { return $_[0] });
my $replaced = qq{the file of the library of pgbackup, "$library", has been replaced since the server started};
is(reasons(), $replaced, 'health() says that the file has been replaced');
is(rows(), "warning|$replaced", 'check(), too');
is(finished($node, start_backup($node, q{'postgres'})), 'completed', 'backups go on');
$node->restart;
is(reasons() . rows(), '', 'a restart takes the new file');

rename $library, "$library.away" or die $!;
is(reasons(), 'the catalog of pgbackup cannot be read: could not access file "$libdir/pgbackup": No such file or directory',
	'health() has a row that says that the file is gone');
rename "$library.away", $library or die $!;
is(reasons() . rows(), '', 'the file is back');

value(q{UPDATE pg_extension SET extversion = '0.9' WHERE extname = 'pgbackup'});
my $other = 'the library of pgbackup has version 1.0.0, the extension has version 0.9';
is(reasons(), $other, 'health() says that the objects are of another version');
is(rows(), "error|$other", 'check(), too');
is(finished($node, start_backup($node, q{'postgres'})), 'completed', 'backups go on');
value(q{UPDATE pg_extension SET extversion = '1.0' WHERE extname = 'pgbackup'});
is(reasons() . rows(), '', 'of the same version again');

$node->stop;
done_testing();
