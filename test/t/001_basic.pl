# The main job: a backup to a directory, listed, restored, equal.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('basic');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));

my ($code, $out, $err) = $node->psql('postgres', q{CALL pgbackup.run('shop', label => 'first')});
is($code, 0, 'CALL pgbackup.run succeeds') or diag($err);
like($err, qr/NOTICE:  backup 1 of database shop completed/, 'run() says what it did');

my $row = row_of($node, 1);
is($row->{status}, 'completed', 'the row is completed');
is($row->{label}, 'first', 'the label is kept');
is($row->{created_by}, $node->safe_psql('postgres', 'SELECT session_user'), 'the row knows who asked');
like(
	$row->{file_name},
	qr{^basic-[0-9a-f]{8}/shop/backup_shop_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_1$},
	'the folder follows the template');
cmp_ok($row->{raw_size}, '>', $row->{file_size}, 'raw size is larger than what is stored');
is($row->{file_size}, stored_bytes("$store/$row->{file_name}"), 'file_size is what lies in storage');

# Layout, permissions, checksums.
my $folder = "$store/$row->{file_name}";
is_deeply(
	[ backup_files($folder) ],
	[ 'database.dump.zst', 'globals.sql.zst', 'manifest.json' ],
	'a small database is one archive, with the roles and the manifest');
is(sprintf('%o', (stat "$folder/manifest.json")[2] & oct(777)), '600', 'objects are readable by the owner only');
is(sprintf('%o', (stat $folder)[2] & oct(777)), '700', 'folders too');
my $segments = $node->safe_psql('postgres', q{
	SELECT s->>'name', s->>'sha256', s->>'size' FROM pgbackup.backups b,
	       jsonb_array_elements(b.manifest->'objects') o, jsonb_array_elements(o->'segments') s
	 WHERE b.id = 1});
my @segments = split /\n/, $segments;
is(scalar @segments, 2, 'the manifest lists both objects');
for my $line (@segments)
{
	my ($name, $sum, $size) = split /\|/, $line;
	my ($got) = split / /, `sha256sum '$folder/$name'`;
	is($got, $sum, "SHA-256 of $name is in the manifest");
	is(-s "$folder/$name", $size, 'and its size');
}
my ($manifest_sum) = split / /, `sha256sum '$folder/manifest.json'`;
is($manifest_sum, $row->{checksum}, 'the checksum of the row is that of the manifest');

# The other layouts.
my $parallel = start_backup($node, q{'shop', format => 'parallel'});
is(finished($node, $parallel), 'completed', 'format parallel completes');
is_deeply(
	[ backup_files("$store/" . row_of($node, $parallel)->{file_name}) ],
	[ 'data-000.dump.zst', 'globals.sql.zst', 'manifest.json', 'schema.dump.zst' ],
	'its layout');
my $plain = start_backup($node, q{'shop', format => 'plain'});
is(finished($node, $plain), 'completed', 'format plain completes');
is_deeply(
	[ backup_files("$store/" . row_of($node, $plain)->{file_name}) ],
	[ 'database.sql.zst', 'globals.sql.zst', 'manifest.json' ],
	'its layout');

# Restores are equal.
my $source = database_as_text($node, 'shop');
cmp_ok(length $source, '>', 5000, 'the source has something to compare');
for my $case ([ 1, 'custom' ], [ $parallel, 'parallel' ], [ $plain, 'plain' ])
{
	my ($backup, $format) = @$case;
	($code, $out, $err) =
	  $node->psql('postgres', "CALL pgbackup.run_restore($backup, 'back_$format', jobs => 2)");
	is($code, 0, "run_restore of format $format succeeds") or diag($err);
	ok(database_as_text($node, "back_$format") eq $source, "the database restored from format $format is equal");
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.restores WHERE status = 'completed'}),
	3, 'restores are on record');
is($node->safe_psql('postgres', q{SELECT datname FROM pg_database WHERE datname ~ 'restore_[0-9]'}),
	'', 'no side database is left');

# Database properties that pg_dump leaves out.
is( $node->safe_psql('postgres', q{
	SELECT pg_get_userbyid(datdba), datconnlimit, datacl::text, shobj_description(oid, 'pg_database')
	  FROM pg_database WHERE datname = 'back_parallel'}),
	$node->safe_psql('postgres', q{
	SELECT pg_get_userbyid(datdba), datconnlimit, datacl::text, shobj_description(oid, 'pg_database')
	  FROM pg_database WHERE datname = 'shop'}),
	'owner, connection limit, privileges and comment of the database are back');
is($node->safe_psql('back_parallel', 'SHOW work_mem'), '7MB', 'and its settings');

# A part of a backup, chosen at restore, from each layout.
for my $case ([ 1, 'custom' ], [ $parallel, 'parallel' ])
{
	my ($backup, $format) = @$case;
	$node->safe_psql('postgres', "CALL pgbackup.run_restore($backup, 'part_$format', tables => '{stock.items}')");
	is($node->safe_psql("part_$format", 'SELECT count(*), sum(price) FROM stock.items'),
		$node->safe_psql('shop', 'SELECT count(*), sum(price) FROM stock.items'), "one table out of format $format");
	is($node->safe_psql("part_$format", q{SELECT count(*) FROM pg_class WHERE relname LIKE 'orders%'}), 0, 'and no other');
}

# Selective backups and content.
my $id = start_backup($node, q{'shop', content => 'schema', schemas => '{stock}'});
is(finished($node, $id), 'completed', 'one schema, without data');
$node->safe_psql('postgres', "CALL pgbackup.run_restore($id, 'only_schema')");
is($node->safe_psql('only_schema', q{SELECT count(*) FROM stock.items}), 0, 'tables without rows');
is($node->safe_psql('only_schema', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'sales'}), 0, 'and nothing else');
$id = start_backup($node, q{'shop', tables => '{stock.items}'});
is(finished($node, $id), 'completed', 'one table');

# Listing.
is($node->safe_psql('postgres', q{SELECT (pgbackup.latest('shop')).id}), $id, 'latest is the newest');
is($node->safe_psql('postgres', q{SELECT (pgbackup.get(1)).label}), 'first', 'get finds one');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.list('shop', 'completed', 2)}), 2, 'list is limited');
is($node->safe_psql('postgres', q{SELECT (pgbackup.latest('nowhere')) IS NULL}), 't', 'latest of nothing is null');

# An existing database is refused unless it is empty.
($code, $out, $err) = $node->psql('postgres', q{CALL pgbackup.run_restore(1, 'back_custom')});
isnt($code, 0, 'a database that holds data is refused');
like($err, qr/not empty/, 'with the reason');
like($err, qr/HINT/, 'and what to do');
ok(database_as_text($node, 'back_custom') eq $source, 'and is untouched');
$node->safe_psql('postgres', 'CREATE DATABASE prepared');
$node->safe_psql('postgres', q{CALL pgbackup.run_restore(1, 'prepared')});
ok(database_as_text($node, 'prepared') eq $source, 'an empty one is filled');

# Deleting.
my $doomed = row_of($node, 1)->{file_name};
$node->safe_psql('postgres', 'SELECT pgbackup.pin(1)');
($code, $out, $err) = $node->psql('postgres', 'SELECT pgbackup.delete(1, delete_objects => true)');
like($err, qr/pinned/, 'a pinned backup is not deleted');
$node->safe_psql('postgres', 'SELECT pgbackup.pin(1, false); SELECT pgbackup.delete(1, delete_objects => true)');
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
ok(!-e "$store/$doomed", 'delete with objects empties storage');
my $kept = row_of($node, $id)->{file_name};
$node->safe_psql('postgres', "SELECT pgbackup.delete($id)");
ok(-e "$store/$kept/manifest.json", 'delete without objects only forgets');

# A request that is rolled back leaves nothing.
my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.backups');
$node->safe_psql('postgres', 'BEGIN; SELECT pgbackup.create(); ROLLBACK');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.backups'), $before, 'a rolled back request leaves nothing');

$node->stop;
done_testing();
