# A file system that has neither hard links nor RENAME_NOREPLACE takes backups all the same: a manifest appears
# whole, replaces none, and what a writer that was killed leaves is no backup.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The system calls, as such a file system answers them, in a library that is loaded before the C library.
my $shim = PostgreSQL::Test::Utils::tempdir() . '/plain.so';
PostgreSQL::Test::Utils::append_to_file("$shim.c", <<'SOURCE');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	errno = EINVAL;
	return -1;
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	errno = EPERM;
	return -1;
}

/* Where that is asked for, the rename of a manifest fails or ends the process. */
int renameat(int from, const char *old, int to, const char *new)
{
	int (*next)(int, const char *, int, const char *) = dlsym(RTLD_NEXT, "renameat");
	const char *how = getenv("TEST_RENAME");
	if (how != NULL && strcmp(new, "manifest.json") == 0)
	{
		if (strcmp(how, "killed") == 0) _exit(9);
		errno = EIO;
		return -1;
	}
	return next(from, old, to, new);
}

/* Where that is asked for, a check cannot reserve a name. */
int openat(int folder, const char *name, int flags, ...)
{
	int (*next)(int, const char *, int, int) = dlsym(RTLD_NEXT, "openat");
	const char *how = getenv("TEST_RENAME");
	va_list arguments;
	va_start(arguments, flags);
	int mode = (flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0;
	va_end(arguments);
	if (how != NULL && strcmp(how, "unreserved") == 0 && strstr(name, ".pgbackup-probe") != NULL)
	{
		errno = EPERM;
		return -1;
	}
	return next(folder, name, flags, mode);
}
SOURCE
plan skip_all => 'no C compiler'
  unless system_log('cc', '-shared', '-fPIC', '-o', $shim, "$shim.c", '-ldl') == 0;

my $node = new_cluster('plain_file_system');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
my @to = ('--storage', "file://$store");

sub on_plain
{
	my ($rename, @arguments) = @_;
	local $ENV{LD_PRELOAD} = $shim;
	local $ENV{TEST_RENAME} = $rename if defined $rename;
	return pgbackup($node, @arguments);
}

sub backups
{
	my ($code, $out, $err) = pgbackup($node, 'list', @to);
	is($code, 0, 'the storage can be listed') or diag($err);
	return scalar(() = $out =~ /^\d+\t/mg);
}

my ($code, $out, $err) = on_plain(undef, 'check', @to);
plan skip_all => 'libraries cannot be preloaded here' if $err =~ /LD_PRELOAD|runtime does not come first/;
is($code, 0, 'check finds nothing amiss') or diag("$out$err");
like($out, qr/^conditional put\b.*\bok\b/m, 'nor with writing what does not exist') or diag($out);

($code, $out, $err) = on_plain('unreserved', 'check', @to);
isnt($code, 0, 'check fails where a backup could not be completed');
like($out, qr/^conditional put\b.*\berror\b.*could not write/m, 'and says so') or diag($out);

my @backup = ('backup', @to, '-d', 'shop', '--name-template', 'fixed/{database}_{time:%Y}');
($code, $out, $err) = on_plain(undef, @backup);
is($code, 0, 'a backup is completed') or diag($err);
is(backups(), 1, 'and is there');
is_deeply([ grep { /\.tmp$/ } storage_files($store) ], [], 'nothing else is left');
my ($name) = map { m{^fixed/(shop_\d+)/manifest\.json$} ? $1 : () } storage_files($store);
my $manifest = read_file("$store/fixed/$name/manifest.json");

# Another one in the same folder.
($code, $out, $err) = on_plain(undef, @backup);
isnt($code, 0, 'a second one of its name is refused');
like($err, qr/belongs to another run/, 'and says why');
is(read_file("$store/fixed/$name/manifest.json"), $manifest, 'the first one is as it was');

# What goes wrong at the very end.
@backup = ('backup', @to, '-d', 'shop', '--name-template', 'other/{database}_{time:%Y}');
($code, $out, $err) = on_plain('fails', @backup);
isnt($code, 0, 'a rename that fails fails the backup');
like($err, qr/could not write .*manifest\.json: Input\/output error/, 'which says so');
is_deeply([ grep { m{^other/} } storage_files($store) ], [], 'nothing of it is left');

($code, $out, $err) = on_plain('killed', @backup);
is($code, 9, 'a backup is killed between reservation and rename');
my @left = grep { m{^other/} } storage_files($store);
ok((grep { $_ eq "other/$name/.pgbackup-manifest.json.tmp" } @left), 'its reservation is left');
ok(!(grep { $_ eq "other/$name/manifest.json" } @left), 'and no manifest');
is(backups(), 1, 'so it is no backup');

# The janitor takes it for what it is.
my $long_ago = time - 30 * 86400;
for my $file (@left, 'other', "other/$name")
{
	utime $long_ago, $long_ago, "$store/$file" or die "$file: $!";
}
$node->safe_psql('postgres', 'SELECT * FROM pgbackup.cleanup()');
is_deeply([ grep { m{^other/} } storage_files($store) ], [], 'cleanup() removes what is left');

# A name that another writer has reserved.
on_plain('killed', @backup);
unlink "$store/$_" or die for grep { m{^other/} && !/\.tmp$/ } storage_files($store);
($code, $out, $err) = on_plain(undef, @backup);
isnt($code, 0, 'the name is reserved');
like($err, qr/manifest\.json: its name is reserved by another writer/, 'and that is said');
like($err, qr/\.pgbackup-manifest\.json\.tmp/, 'with the file that does it');

$node->stop;
done_testing();
