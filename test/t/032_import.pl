# pgbackup.verify() and pgbackup.import(): a backup is proved from SQL; a new server takes over what lies in
# the storage.
use strict;
use warnings;

use File::Copy qw(copy);
use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('first');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
my %id;
for my $format ('custom', 'parallel', 'plain')
{
	$id{$format} = start_backup($node, "'shop', format => '$format', label => 'as $format'");
	is(finished($node, $id{$format}), 'completed', "a backup of format $format");
}

# Proofs.
for my $format (sort keys %id)
{
	for my $level ('checksum', 'archive', 'restore')
	{
		my $run = $node->safe_psql('postgres', "SELECT pgbackup.verify($id{$format}, '$level')");
		is(finished($node, $run), 'completed', "$format is proved: $level") or diag(explain(row_of($node, $run, 'restores')));
		is($node->safe_psql('postgres', qq{
				SELECT b.verified_level, b.verified_at = r.finished_at, r.mode, r.target_database
				  FROM pgbackup.backups b JOIN pgbackup.restores r ON r.backup_id = b.id WHERE r.id = $run}),
			"$level|t|verify|shop", 'and that is recorded');
	}
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_database WHERE NOT datistemplate'), 2, 'no scratch database is left');
my $at = "$store/" . row_of($node, $id{parallel})->{file_name};
my $verified = row_of($node, $id{parallel})->{verified_at};
copy("$at/data-000.dump.zst", "$at/../kept") or die;
flip_bit("$at/data-000.dump.zst");
my $run = $node->safe_psql('postgres', "SELECT pgbackup.verify($id{parallel})");
is(finished($node, $run), 'failed', 'damage is noticed');
my $row = row_of($node, $run, 'restores');
like($row->{message}, qr/data-000\.dump\.zst/, 'the message names the object');
is($row->{sqlstate}, 'XX001', 'as corrupted data');
is(row_of($node, $id{parallel})->{verified_at}, $verified, 'the last good proof is not touched');
rename "$at/../kept", "$at/data-000.dump.zst" or die;
my $manifest = read_file("$at/manifest.json");
copy("$store/" . row_of($node, $id{custom})->{file_name} . '/manifest.json', "$at/manifest.json") or die;
for my $kind ('verify', 'restore')
{
	my $arguments = $kind eq 'verify' ? $id{parallel} : "$id{parallel}, 'never'";
	$run = $node->safe_psql('postgres', "SELECT pgbackup.$kind($arguments)");
	is(finished($node, $run), 'failed', "$kind: the manifest of another backup is noticed");
	like(row_of($node, $run, 'restores')->{message}, qr/the manifest of ".*" is not the one that was stored/, 'and said');
}
open my $handle, '>:raw', "$at/manifest.json" or die;
print {$handle} $manifest;
close $handle or die;
like(($node->psql('postgres', "SELECT pgbackup.verify($id{custom}, 'hope')"))[2], qr/invalid level: 'hope'/, 'an unknown level is refused');

# Another cluster with the same storage, and ids of its own.
my $second = new_cluster('second', 'pgbackup.storage' => "file://$store", 'pgbackup.name_template' => '{cluster}/{database}_{time:%Y}_{id}');
my $theirs = start_backup($second, q{'postgres'});
is(finished($second, $theirs), 'completed', 'another cluster shares the storage');
is($theirs, $id{custom}, 'its ids are the same');

# A new server takes the place of the first one.
my $columns = q{id, database, file_name, storage, file_size, raw_size, database_size, backup_type, schedule, label, format, status,
	checksum, created_by, created_at, server_version, manifest};
my $catalog = $node->safe_psql('postgres', "SELECT $columns FROM pgbackup.backups ORDER BY id");
my $source = database_as_text($node, 'shop');
$node->stop;
my $new = new_cluster('new', 'pgbackup.storage' => "file://$store", 'pgbackup.cluster_name' => 'first');
my ($code, $out, $err) = $new->psql('postgres', 'SELECT pgbackup.import()');
is("$code $out", '0 4', 'import finds all of them') or diag($err);
like($err, qr/NOTICE:  file:.*: 4 backups imported, 0 were known/, 'and says so');
is($new->safe_psql('postgres', "SELECT $columns FROM pgbackup.backups WHERE manifest->'cluster'->>'name' = 'first' ORDER BY id"),
	$catalog, 'the rows are those of the old catalog');
is($new->safe_psql('postgres', q{SELECT database, id <> 1, pinned FROM pgbackup.backups WHERE manifest->'cluster'->>'name' = 'second'}),
	'postgres|t|t', 'that of the other cluster has an id that was free, and is pinned');
is($new->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.backups WHERE pinned}), 4, 'and so are those of the one that was there before');
is($new->safe_psql('postgres', 'SELECT pgbackup.import()'), 0, 'a second import finds nothing new');
is($new->safe_psql('postgres', "SELECT pgbackup.import('file://$store/')"), 0, 'however the storage is written');
is($new->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.backups'), 4, 'there are still four');

# What is imported is as good as what was made here.
$new->command_ok([ 'psql', '-X', '-q', '-d', $new->connstr('postgres'), '-c', 'CREATE ROLE shop_owner; CREATE ROLE shop_reader' ], 'roles');
my $restore = start_restore($new, "$id{parallel}, 'shop'");
is(finished($new, $restore), 'completed', 'an imported backup is restored') or diag(explain(row_of($new, $restore, 'restores')));
ok(database_as_text($new, 'shop') eq $source, 'equal');
cmp_ok($restore, '>', $new->safe_psql('postgres', 'SELECT max(id) FROM pgbackup.backups'), 'new runs have new ids');
my $next = start_backup($new, q{'shop'});
is(finished($new, $next), 'completed', 'and backups go on');
is($new->safe_psql('postgres', 'SELECT pgbackup.import()'), 0, 'import leaves alone what it knows');

# A backup by the command line, one that cannot be read, and a row that was deleted.
my ($status) = pgbackup($new, 'backup', '--storage', "file://$store", '-h', $new->host, '-p', $new->port, '-d', 'shop', '--cluster', 'first', '-q');
is($status, 0, 'a backup by the command line');
mkdir "$store/$_" or die for "first", "first/broken";
PostgreSQL::Test::Utils::append_to_file("$store/first/broken/manifest.json", '{');
my $name = row_of($new, $next)->{file_name};
$new->safe_psql('postgres', "SELECT pgbackup.delete($next)");
($code, $out, $err) = $new->psql('postgres', 'SELECT pgbackup.import()');
is("$code $out", '0 2', 'both are imported');
like($err, qr{WARNING:  the manifest in "file:.*/first/broken" cannot be read}, 'what cannot be read is named');
is(row_of($new, $next)->{file_name}, $name, 'the deleted one is back, with its id');
is($new->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.backups WHERE id > 1000000000000}), 1, 'the other one has kept its long id');
cmp_ok(start_backup($new, q{'postgres'}), '<', 1000, 'which the sequence has not followed');
like(($new->psql('postgres', q{SELECT pgbackup.import('file:///nowhere/at/all')}))[2], qr{directory "/nowhere/at/all" does not exist},
	'a storage that is not there is not taken for an empty one');

$new->stop;
$second->stop;
done_testing();
