# pgbackup.cleanup(): leftovers go; backups, runs, young things and what others have written stay.
use strict;
use warnings;

use File::Basename qw(dirname);
use File::Path qw(make_path);
use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use S3;
use Test::More;

my $day = 86400;

# Rows as lines "file_name|reason|action", sorted.
sub rows
{
	my ($node, $call) = @_;
	return [ sort split /\n/, $node->safe_psql('postgres', "SELECT concat_ws('|', file_name, reason, action) FROM $call") ];
}

sub notice
{
	my ($node, $call) = @_;
	my (undef, undef, $stderr) = $node->psql('postgres', "SELECT FROM $call");
	return $stderr;
}

# A directory: times of files are whatever a test says.
my $node = new_cluster('cleanup');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));

sub put
{
	my ($name, $age) = @_;
	my $file = "$store/$name";
	make_path(dirname($file));
	PostgreSQL::Test::Utils::append_to_file($file, 'x');
	utime time - $age, time - $age, $file or die "utime $file: $!";
	return;
}

sub age_all
{
	my ($folder, $age) = @_;
	utime time - $age, time - $age, "$folder/$_" for storage_files($folder);
	return;
}

is_deeply(rows($node, 'pgbackup.cleanup()'), [], 'an empty storage has nothing to clean up');
like(notice($node, 'pgbackup.cleanup()'), qr/NOTICE:  file:.*: removed 0 objects, 0 unfinished uploads/, 'and says so');

my $complete = start_backup($node, q{'shop'});
is(finished($node, $complete), 'completed', 'a backup');
my $folder = row_of($node, $complete)->{file_name};
my $headless = start_backup($node, q{'shop'});
is(finished($node, $headless), 'completed', 'another one');
my $headless_folder = row_of($node, $headless)->{file_name};
unlink "$store/$headless_folder/manifest.json" or die;
age_all($store, 30 * $day);

my $slow = slow_programs($node);
restart_settings($node, 'pgbackup.bin_directory' => $slow);
my $running = start_backup($node, q{'shop', format => 'parallel'});
wait_for_file("$slow/reached");
my $running_folder = row_of($node, $running)->{file_name};
# All that is not held back is there, so that nothing changes while we look.
wait_until(
	sub {
		my @files = grep { index($_, "$running_folder/") == 0 } storage_files($store);
		return (grep { /tmp$/ } @files) == 1 && grep { m{/globals\.sql\.zst$} } @files;
	},
	'a temporary file');
age_all("$store/$running_folder", 30 * $day);

put("main/gone/$_", 8 * $day)
  for qw(schema.dump.zst data-000.dump.zst data-017.dump.zst.age.part2 globals.sql.zst .pgbackup-00.tmp .pgbackup-01.tmp);
put("main/cut/database.sql.zst", 8 * $day);
put("main/cut/sub/.pgbackup-02.tmp", 8 * $day);
put("main/mixed/$_", 8 * $day) for qw(database.dump.zst notes.txt data-1.dump.zst);
put("main/young/database.dump.zst", 6 * $day);
put("main/growing/$_->[0]", $_->[1]) for [ 'schema.dump.zst', 8 * $day ], [ 'data-000.dump.zst', 60 ];
put("main/writing/$_->[0]", $_->[1]) for [ 'schema.dump.zst', 8 * $day ], [ '.pgbackup-03.tmp', 60 ];
put("main/other/manifest.json", 30 * $day);
put("main/other/database.dump.zst", 30 * $day);
put("somebody/else.txt", 30 * $day);
put("somebody/x/else.dump.zst", 30 * $day);
put("database.dump.zst", 30 * $day);
put(".pgbackup-check/0011/probe-object", 8 * $day);

my $age = 'older than 7 days';
my @before = storage_files($store);
my $kept_headless = "$headless_folder|no manifest, $age|kept: the catalog has a completed backup here, whose manifest is missing";
sub expected
{
	my ($done) = @_;
	return [
		sort ".pgbackup-check/0011|left by a check, $age|$done",
		"main/cut/sub|unfinished upload $age|$done",
		"main/cut|no manifest, $age|$done",
		"main/gone|2 unfinished uploads $age|$done",
		"main/gone|no manifest, $age|$done",
		"main/mixed|2 objects with other names|kept: not written by pgbackup",
		"main/mixed|no manifest, $age|$done",
		$kept_headless
	];
}
is_deeply(rows($node, 'pgbackup.cleanup(dry_run => true)'), expected('would remove'), 'a dry run tells what would go');
is_deeply([ storage_files($store) ], \@before, 'and changes nothing');
is($node->safe_psql('postgres',
		"SELECT backup_id FROM pgbackup.cleanup(dry_run => true) WHERE file_name = '$headless_folder'"),
	$headless, 'a row names the backup the catalog knows');

is_deeply(rows($node, 'pgbackup.cleanup()'), expected('removed'), 'leftovers are removed');
my %gone = map { $_ => 1 } grep { m{^main/(gone|cut)/|^main/mixed/database|^\.pgbackup-check/} } @before;
is_deeply([ storage_files($store) ], [ grep { !$gone{$_} } @before ], 'and nothing else');
ok(!-e "$store/main/gone" && !-e "$store/.pgbackup-check", 'empty folders go, too');
is_deeply(rows($node, 'pgbackup.cleanup()'), [$kept_headless], 'a second time there is nothing to do');

PostgreSQL::Test::Utils::append_to_file("$slow/go", '');
is(finished($node, $running), 'completed', 'the run was not disturbed') or diag(explain(row_of($node, $running)));
restart_settings($node, 'pgbackup.bin_directory' => '');
for my $id ($complete, $running)
{
	my $restore = start_restore($node, "$id, 'back_$id'");
	is(finished($node, $restore), 'completed', 'a backup that was there can be restored');
}

# The longest run decides what is old.
restart_settings($node, 'pgbackup.timeout' => 3600);
put("main/hours/database.dump.zst", 2.5 * 3600);
put("main/hour/database.dump.zst", 1.5 * 3600);
is_deeply(
	[ grep { m{^main/hour} } @{ rows($node, 'pgbackup.cleanup()') } ],
	['main/hours|no manifest, older than 2 hours|removed'],
	'pgbackup.timeout decides what is old');
put("main/mass-$_/database.dump.zst", 8 * $day) for 1 .. 450;
like(notice($node, 'pgbackup.cleanup()'), qr/NOTICE:  file:.*: removed 45\d objects, 0 unfinished uploads/, 'many folders');
is_deeply([ grep { /mass/ } storage_files($store) ], [], 'all of them are gone');
my ($failed, undef, $why) = $node->psql('postgres', 'SELECT pgbackup.cleanup(NULL)');
isnt($failed, 0, 'dry_run has to be known');
restart_settings($node, 'pgbackup.storage' => '');
($failed, undef, $why) = $node->psql('postgres', 'SELECT pgbackup.cleanup()');
like($why, qr/no storage is set.*HINT:/s, 'without a storage there is an error');
$node->stop;

SKIP:
{
	skip s3_missing(), 1 if s3_missing();
	my $prefix = "t012-$$";
	my $s3 = new_cluster('cleanup_s3', s3_settings($prefix));
	$s3->safe_psql('postgres', 'CREATE DATABASE shop');
	$s3->safe_psql('shop', q{CREATE EXTENSION pgcrypto;
		CREATE TABLE random AS SELECT i, gen_random_bytes(1000) AS bytes FROM generate_series(1, 9000) i});
	my $good = start_backup($s3, q{'shop'});
	is(finished($s3, $good), 'completed', 'a backup to S3');

	my $slow_s3 = slow_programs($s3, 12_000_000);
	restart_settings($s3, 'pgbackup.bin_directory' => $slow_s3);
	my $run = start_backup($s3, q{'shop', format => 'parallel'});
	wait_for_file("$slow_s3/reached");
	wait_until(sub { s3_uploads($prefix) > 0 }, 'a multipart upload');
	my $uploads = s3_uploads($prefix);
	my @kept = s3_keys($prefix);

	s3_put("$prefix/gone/$_", 'x') for qw(schema.dump.zst data-000.dump.zst);
	s3_begin_upload("$prefix/gone/data-001.dump.zst");
	s3_begin_upload("$prefix/cut/database.dump.zst");
	s3_begin_upload("$prefix/somebody/else.bin");
	s3_put("$prefix/somebody/else.bin", 'x');
	s3_put("$prefix/mixed/$_", 'x') for qw(notes.txt database.dump.zst);
	push @kept, 'somebody/else.bin', 'mixed/notes.txt';

	is_deeply(rows($s3, q{pgbackup._cleanup_storage(current_setting('pgbackup.storage'), false, '1 hour')}), [], 'S3: what is young stays');
	my $words = 'older than 2 seconds';
	my @rows = (
		"cut|unfinished upload $words|",
		"gone|no manifest, $words|",
		"gone|unfinished upload $words|",
		"mixed|no manifest, $words|");
	my $dry = [ sort((map { "${_}would remove" } @rows), 'mixed|1 object with another name|kept: not written by pgbackup') ];
	wait_until(sub { @{ rows($s3, q{pgbackup._cleanup_storage(current_setting('pgbackup.storage'), true, '2 seconds')}) } == 5 }, 'age');
	is_deeply(rows($s3, q{pgbackup._cleanup_storage(current_setting('pgbackup.storage'), true, '2 seconds')}), $dry, 'S3: a dry run tells what would go');
	is(s3_uploads($prefix), $uploads + 3, 'S3: and leaves it');
	s3_put("$prefix/young/database.dump.zst", 'x');
	like(notice($s3, q{pgbackup._cleanup_storage(current_setting('pgbackup.storage'), false, '2 seconds')}),
		qr/NOTICE:  s3:.*: removed 3 objects, 2 unfinished uploads/, 'S3: leftovers are removed');
	is_deeply([ grep { $_ ne 'young/database.dump.zst' } s3_keys($prefix) ], [ sort @kept ], 'S3: and nothing else');
	is(s3_uploads($prefix), $uploads + 1, 'S3: the uploads of a run, and of others, go on');
	is_deeply([ grep { /^young/ } s3_keys($prefix) ], ['young/database.dump.zst'], 'S3: a young object stays');

	PostgreSQL::Test::Utils::append_to_file("$slow_s3/go", '');
	is(finished($s3, $run), 'completed', 'S3: the run was not disturbed') or diag(explain(row_of($s3, $run)));
	restart_settings($s3, 'pgbackup.bin_directory' => '');
	my $restore = start_restore($s3, "$run, 'back'");
	is(finished($s3, $restore), 'completed', 'S3: and its backup can be restored');

	# A storage that refuses.
	s3_put("$prefix/locked/database.dump.zst", 'x');
	s3_deny('s3:DeleteObject', "$ENV{PGBACKUP_TEST_S3_BUCKET}/$prefix/locked/*");
	my $denied;
	wait_until(
		sub {
			($denied) = grep { /^locked/ } @{ rows($s3, q{pgbackup._cleanup_storage(current_setting('pgbackup.storage'), false, '2 seconds')}) };
			return defined $denied;
		},
		'age');
	s3_deny();
	like($denied, qr/^locked\|no manifest, .*\|kept: could not delete .*access denied/, 'S3: what may not be removed is reported');
	$s3->stop;
}

done_testing();
