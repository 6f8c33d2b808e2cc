# When pgbackup is gone: the very commands of docs/storage-format.md restore a backup.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use IPC::Run;
use Test::More;

my $document = fixture('../docs/storage-format.md');
plan skip_all => 'docs/storage-format.md is not here' unless -e $document;

my $node = new_cluster('source', 'pgbackup.split_table_size' => '1MB');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
# One table is big enough to be split into ranges.
$node->safe_psql('shop', q{CREATE TABLE "Wide "" one" AS
	SELECT i AS "the id", repeat(md5(i::text), 30) || chr(9) || chr(92) || '.' || chr(10) AS line FROM generate_series(1, 8000) i});
my $source = database_as_text($node, 'shop');

my %folder;
for my $format ('parallel', 'custom', 'plain')
{
	my $id = start_backup($node, "'shop', format => '$format'");
	is(finished($node, $id), 'completed', "a backup of format $format");
	$folder{$format} = "$store/" . row_of($node, $id)->{file_name};
}

like(join(' ', storage_files($folder{parallel})), qr/data-001\.sql\.zst/, 'with ranges of a table');

# A block of commands is fenced with "sh recovery:NAME".
my %commands = read_file($document) =~ /^```sh recovery:(\w+)\n(.*?)^```/msg;
is_deeply([ sort keys %commands ], [ 'check', 'custom', 'globals', 'parallel', 'plain' ],
	'the document has commands for each layout');

# A new server that has never heard of pgbackup.
my $fresh = PostgreSQL::Test::Cluster->new('fresh');
$fresh->init;
$fresh->start;
local $ENV{PGHOST} = $fresh->host;
local $ENV{PGPORT} = $fresh->port;
local $ENV{PGDATABASE} = 'postgres';
local $ENV{PATH} = $fresh->config_data('--bindir') . ":$ENV{PATH}";

sub run_commands
{
	my ($name, %variables) = @_;
	local @ENV{ keys %variables } = values %variables;
	my $script = $commands{$name};
	my $output = '';
	my $worked = IPC::Run::run([ 'bash', '-euo', 'pipefail', '-c', $script ], '>', \$output, '2>&1');
	ok($worked, "the commands for $name work as written") or diag($output);
	return $output;
}

run_commands('globals', BACKUP => $folder{parallel});
is($fresh->safe_psql('postgres', q{SELECT count(*) FROM pg_roles WHERE rolname IN ('shop_owner', 'shop_reader')}),
	2, 'roles are back');
for my $format ('parallel', 'custom', 'plain')
{
	run_commands('check', BACKUP => $folder{$format});
	run_commands($format, BACKUP => $folder{$format}, DATABASE => "shop_$format");
	ok(database_as_text($fresh, "shop_$format") eq $source, "the database from format $format is equal");
}

# The same lines for the other compressions, adapted as the document says: its table has the suffixes and
# the programs.
my %reader;
my $text = read_file($document);
while ($text =~ /^[|] `?([.]\w+|none)`? [|].*[|] `([^`]*)` [|]$/mg) { $reader{$1} = $2 }
is_deeply([ sort keys %reader ], [ '.gz', '.lz4', '.zst', 'none' ], 'the document has a program for each suffix');
my %written = %commands;
for my $case ([ 'gzip', '.gz' ], [ 'lz4', '.lz4' ], [ 'none', 'none' ])
{
	my ($compression, $suffix) = @$case;
	my $ending = $suffix eq 'none' ? '' : $suffix;
	%commands = map { $_ => $written{$_} =~ s/[.]zst/$ending/gr =~ s/zstd -dc/$reader{$suffix}/gr } keys %written;
	for my $format ('parallel', 'custom', 'plain')
	{
		my $id = start_backup($node, "'shop', format => '$format', compression => '$compression'");
		is(finished($node, $id), 'completed', "$compression: a backup of format $format");
		my $backup = "$store/" . row_of($node, $id)->{file_name};
		run_commands('globals', BACKUP => $backup) if $format eq 'custom';
		run_commands('check', BACKUP => $backup);
		run_commands($format, BACKUP => $backup, DATABASE => "shop_${format}_$compression");
		ok(database_as_text($fresh, "shop_${format}_$compression") eq $source,
			"$compression: the database from format $format is equal");
	}
}
%commands = %written;

# The check finds a flipped bit.
my $victim = "$folder{custom}/database.dump.zst";
my $bytes = read_file($victim);
substr($bytes, length($bytes) / 2, 1) ^= "\x01";
open my $handle, '>:raw', $victim or die "$victim: $!";
print {$handle} $bytes;
close $handle;
local $ENV{BACKUP} = $folder{custom};
system('bash', '-euo', 'pipefail', '-c', "{ $commands{check} } > /dev/null 2>&1");
isnt($?, 0, 'the check notices a flipped bit');

$fresh->stop;
$node->stop;
done_testing();
