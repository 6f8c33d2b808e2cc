# Every compression in every layout: the objects' names say which, restores are equal, damage is refused.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('codecs');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
# A table that refers to nothing, for a backup of it alone.
$node->safe_psql('shop', q{CREATE TABLE alone AS SELECT i, md5(i::text) AS t FROM generate_series(1, 500) i});
my $source = database_as_text($node, 'shop');

sub backup
{
	my ($arguments, $title) = @_;
	my $id = start_backup($node, $arguments);
	is(finished($node, $id), 'completed', "$title: the backup is complete") or diag(explain(row_of($node, $id)));
	return $id;
}

# Restores into a database that is dropped again; returns what it held.
sub restored
{
	my ($arguments, $title) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "CALL pgbackup.run_restore($arguments)");
	is($code, 0, "$title: the restore is complete") or diag($err);
	my $text = database_as_text($node, 'back');
	$node->safe_psql('postgres', 'DROP DATABASE back');
	return $text;
}

sub change_file
{
	my ($path, $change) = @_;
	my $bytes = read_file($path);
	open my $handle, '>:raw', $path or die "$path: $!";
	print {$handle} $change->($bytes);
	close $handle;
	return;
}

my %objects = (
	custom => [ 'database.dump', 'globals.sql' ],
	parallel => [ 'data-000.dump', 'globals.sql', 'schema.dump' ],
	plain => [ 'database.sql', 'globals.sql' ]);

# What parts of a database and parts of a backup hold, whatever the compression.
my $id = backup(q{'shop', format => 'parallel', content => 'schema'}, 'schema only');
my $schema = restored("$id, 'back'", 'schema only');
$id = backup(q{'shop', tables => '{public.alone}'}, 'one table');
my $table = restored("$id, 'back'", 'one table');
$id = backup(q{'shop', format => 'parallel'}, 'all of it');
my $part = restored("$id, 'back', tables => '{stock.items}'", 'one table of it');
my $schema_of_all = restored("$id, 'back', content => 'schema'", 'its schema');
ok(length $schema < length $source && length $table < length $source, 'a part is less than all');

my %size;
for my $case (
	[ 'zstd:9,long', '.zst' ], [ 'gzip:1', '.gz' ], [ 'gzip:9', '.gz' ], [ 'lz4', '.lz4' ], [ 'lz4:9', '.lz4' ],
	[ 'none', '' ])
{
	my ($compression, $suffix) = @$case;
	# Levels of a codec differ in nothing but size: one layout will do.
	my @formats = $compression =~ /9$/ ? ('custom') : sort keys %objects;
	my %folder;
	for my $format (@formats)
	{
		my $title = "$compression, $format";
		$id = backup("'shop', format => '$format', compression => '$compression'", $title);
		my $row = row_of($node, $id);
		$folder{$format} = "$store/$row->{file_name}";
		is_deeply(
			[ backup_files($folder{$format}) ],
			[ sort 'manifest.json', map { "$_$suffix" } @{ $objects{$format} } ],
			"$title: the objects are named after it");
		$size{$compression} = $row->{file_size} if $format eq 'custom';
		is( $node->safe_psql('postgres',
				"SELECT manifest->'backup'->>'compression' FROM pgbackup.backups WHERE id = $id"),
			$compression, "$title: the manifest has what was asked for");
		ok(restored("$id, 'back', jobs => 2", $title) eq $source, "$title: the restored database is equal");
		if ($format eq 'parallel')
		{
			ok(restored("$id, 'back', tables => '{stock.items}'", "$title, one table of it") eq $part,
				"$title: one table of it is equal");
			ok(restored("$id, 'back', content => 'schema'", "$title, its schema") eq $schema_of_all,
				"$title: so is its schema alone");
		}
	}
	next if @formats == 1;

	$id = backup("'shop', format => 'parallel', compression => '$compression', content => 'schema'",
		"$compression, schema only");
	ok(restored("$id, 'back'", "$compression, schema only") eq $schema, "$compression: a backup of the schema is equal");
	$id = backup("'shop', tables => '{public.alone}', compression => '$compression'", "$compression, one table");
	ok(restored("$id, 'back'", "$compression, one table") eq $table, "$compression: a backup of one table is equal");

	# Damage: a byte in the middle, an object cut off, one with something behind.
	my %damage = (
		custom => [ 'a wrong byte', sub { my ($bytes) = @_; substr($bytes, length($bytes) / 2, 1) ^= "\x01"; $bytes } ],
		parallel => [ 'an end that is missing', sub { substr $_[0], 0, -100 } ],
		plain => [ 'something behind the end', sub { $_[0] . 'x' } ]);
	for my $format (@formats)
	{
		my ($what, $change) = @{ $damage{$format} };
		my ($object) = grep { /^data/ } @{ $objects{$format} };
		my ($backup) = $folder{$format} =~ /_(\d+)$/;
		change_file("$folder{$format}/$object$suffix", $change);
		my $restore = start_restore($node, "$backup, 'damaged'");
		is(finished($node, $restore), 'failed', "$compression, $format: a restore does not pass with $what");
		# What is not compressed reaches the program before its checksum is known.
		my $says = $suffix eq '' ? qr/damaged|pg_restore|psql/ : qr/"[^"]*\Q$object$suffix\E" is damaged/;
		like(row_of($node, $restore, 'restores')->{message}, $says, "$compression, $format: and says why");
	}
	is($node->safe_psql('postgres', q{SELECT string_agg(datname, ' ') FROM pg_database WHERE datname ~ 'damaged|restore_'}),
		'', "$compression: no database is left of the restores that failed");
}
cmp_ok($size{'gzip:9'}, '<', $size{'gzip:1'}, 'a higher level of gzip makes less');
cmp_ok($size{'lz4:9'}, '<', $size{lz4}, 'a higher level of lz4 too');
cmp_ok($size{lz4}, '<', $size{none}, 'and any of them less than none');

# What is not known is refused before anything starts.
my ($code, $out, $err) = $node->psql('postgres', q{SELECT pgbackup.create('shop', compression => 'lz4:13')});
isnt($code, 0, 'an unknown compression is refused');
like($err, qr/HINT:.*lz4:1 to lz4:12/, 'with those that are known');

# The setting decides when nothing is said.
restart_settings($node, 'pgbackup.compression' => 'gzip');
$id = backup(q{'shop', format => 'custom'}, 'the setting');
is((backup_files("$store/" . row_of($node, $id)->{file_name}))[0], 'database.dump.gz', 'the setting is heeded');

$node->stop;
done_testing();
