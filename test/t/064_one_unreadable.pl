# One backup that cannot be read is named, and the others are there: list, restore latest, import() and cleanup().
use strict;
use warnings;

use Cwd qw(abs_path);
use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'root can read everything' if $> == 0;

my $node = new_cluster('one_unreadable');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
my @id = map { start_backup($node, q{'shop'}) } 1 .. 3;
is(finished($node, $_), 'completed', "backup $_") for @id;
my @folder = map { row_of($node, $_)->{file_name} } @id;
my $last = $folder[2];
local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
my @from = ('--storage', "file://$store");

# What list, restore latest and import() make of it when the folders at the end of @folder are out of reach; $said is
# the reason that they are to give.
sub look
{
	my ($title, $said, @out_of_reach) = @_;
	my $readable = @folder - @out_of_reach;
	my $newest = $folder[ $readable - 1 ];
	my ($code, $out, $err) = pgbackup($node, 'list', @from);
	is(() = $out =~ /^\d+\t/mg, $readable, "$title: list shows the others");
	is($code, 4, "$title: and its exit status says that there are more");
	like($err, qr/\Q$_\E.*$said/, "$title: and names what it cannot read") for @out_of_reach;

	($code, $out, $err) = pgbackup($node, 'restore', @from, 'latest', '--database', 'shop', '--target-database', 'shop2');
	is($code, 0, "$title: latest is restored") or diag($err);
	like($err, qr/\Q$_\E.*$said/, "$title: which names what it cannot read") for @out_of_reach;
	like($err, qr/warning: .* cannot be read and may be newer than "\Q$newest\E"/, "$title: and says that it may be newer");
	$node->safe_psql('postgres', 'DROP DATABASE shop2');

	($code, $out, $err) = pgbackup($node, 'restore', @from, $id[0], '--target-database', 'shop2');
	is($code, 0, "$title: so is one that is named") or diag($err);
	unlike($err, qr/may be newer/, "$title: without a word on others");
	$node->safe_psql('postgres', 'DROP DATABASE shop2');

	($code, $out, $err) = $node->psql('postgres', "DELETE FROM pgbackup.backups; SELECT pgbackup.import()");
	is("$code $out", "0 $readable", "$title: import() takes the others") or diag($err);
	is(() = $err =~ /^.*WARNING:/mg, scalar @out_of_reach, "$title: with a warning for each that it cannot read");
	like($err, qr/WARNING: .*\Q$_\E.*$said/, "$title: which names it") for @out_of_reach;
	return;
}

my $kept = q{SELECT string_agg(file_name || ': ' || action, E'\n') FROM pgbackup.cleanup(dry_run => true)};

# A manifest.
chmod 0, "$store/$last/manifest.json" or die;
look('a manifest', 'Permission denied', $last);
is($node->safe_psql('postgres', $kept), '', 'cleanup() has nothing to do with it');
chmod 0600, "$store/$last/manifest.json" or die;

# The folder of a backup.
chmod 0, "$store/$last" or die;
look('a folder', 'Permission denied', $last);
like($node->safe_psql('postgres', $kept), qr/^\Q$last\E: kept: could not read directory .*Permission denied$/,
	'cleanup() names it, too');
my ($code, $out, $err) = $node->psql('postgres', 'SELECT * FROM pgbackup.cleanup()');
is($code, 0, 'and can be asked to clean up') or diag($err);

# A backup that is named and not found may be there.
($code, $out, $err) = pgbackup($node, 'show', @from, $id[2]);
isnt($code, 0, 'the backup in it cannot be shown');
like($err, qr/could not read directory .*Permission denied/, 'because of what cannot be read');

# The root of a file system has a folder for root alone.
mkdir "$store/lost+found", 0 or die;
like($node->safe_psql('postgres', $kept), qr/^\Q$last\E: kept: [^\n]*$/, 'lost+found is not named');
chmod 0700, "$store/$last" or die;
($code, $out, $err) = pgbackup($node, 'list', @from);
is($code, 0, 'nor by list') or diag($err);
is(() = $out =~ /^\d+\t/mg, 3, 'which shows all backups');
rmdir "$store/lost+found" or die;

# None can be read: import() says so, each with its reason.
chmod 0, "$store/$_/manifest.json" for @folder;
($code, $out, $err) = $node->psql('postgres', 'DELETE FROM pgbackup.backups; SELECT pgbackup.import()');
is("$code $out", '0 0', 'import() goes through when none can be read') or diag($err);
is(() = $err =~ /WARNING: .*Permission denied/g, 3, 'with a warning for each');
chmod 0600, "$store/$_/manifest.json" for @folder;

# A bad sector.
my $shim = PostgreSQL::Test::Utils::tempdir() . '/sector.so';
PostgreSQL::Test::Utils::append_to_file("$shim.c", <<'SOURCE');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads all files but that one. */
ssize_t pread(int fd, void *to, size_t size, off_t at)
{
	ssize_t (*next)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, "pread");
	char link[64], file[PATH_MAX];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, file, sizeof file - 1);
	file[length > 0 ? length : 0] = 0;
	if (strcmp(file, getenv("TEST_BAD_FILE")) == 0)
	{
		errno = EIO;
		return -1;
	}
	return next(fd, to, size, at);
}
SOURCE
SKIP:
{
	skip 'no C compiler', 3
	  unless system_log('cc', '-shared', '-fPIC', '-o', $shim, "$shim.c", '-ldl') == 0;
	local $ENV{TEST_BAD_FILE} = abs_path("$store/$last/manifest.json");
	local $ENV{LD_PRELOAD} = $shim;
	($code, $out, $err) = pgbackup($node, 'list', @from);
	skip 'libraries cannot be preloaded here', 3 if $err =~ /LD_PRELOAD|runtime does not come first/;
	is($code, 4, 'a manifest with a bad sector is a matter of list');
	is(() = $out =~ /^\d+\t/mg, 2, 'which shows the others');
	like($err, qr/\Q$last\E.*input\/output error/, 'and names it') or diag($err);
}

# However many there are, the warnings are bounded.
for my $n (1 .. 30)
{
	mkdir "$store/many$n" or die;
	PostgreSQL::Test::Utils::append_to_file("$store/many$n/manifest.json", '{');
}
($code, $out, $err) = $node->psql('postgres', 'SELECT pgbackup.import()');
is("$code $out", '0 3', 'import() takes the good ones');
is(() = $err =~ /WARNING:/g, 21, 'with twenty warnings and one with the number of the rest') or diag($err);
like($err, qr/WARNING: .*10 more backups were not imported/, 'which is right');
($code, $out, $err) = pgbackup($node, 'restore', @from, 'latest', '--database', 'shop', '--target-database', 'shop2');
is($code, 0, 'latest is restored');
is(() = $err =~ /warning:/g, 22, 'with as many warnings, and that they may be newer') or diag($err);

($code, $out, $err) = pgbackup($node, 'list', @from);
is(() = $err =~ /error:/g, 20, 'list names twenty');
like($err, qr/10 more backups cannot be read/, 'and counts the rest');

$node->stop;
done_testing();
