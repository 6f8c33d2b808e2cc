# A backup is proved by restoring it and comparing every row with what was dumped; rows that are lost,
# repeated or changed are noticed, whatever the checksums say.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use JSON::PP;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('proof', 'pgbackup.split_table_size' => '1MB', wal_level => 'logical', max_locks_per_transaction => 128);
my $store = $node->basedir . '/store';

sub sources
{
	return $node->safe_psql('postgres', q{SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate});
}

# Everything pg_dump knows, a table in ranges, and names and rows in another encoding.
$node->safe_psql('postgres', 'CREATE DATABASE everything TEMPLATE template0');
$node->command_ok([ 'psql', '-Xq', '-d', $node->connstr('everything'), '-f', fixture('fixtures/everything.sql') ], 'the fixture loads');
$node->safe_psql('everything', q{
	CREATE TABLE public.big AS SELECT n, md5(n::text) || E'\t\\\n' AS note, n * 0.1::float8 AS part FROM generate_series(1, 30000) AS n;
	CREATE TABLE public.big_child (more int, PRIMARY KEY (n)) INHERITS (public.big);
	INSERT INTO public.big_child SELECT n, 'child', 0, n FROM generate_series(1, 10) AS n;
	CREATE TABLE public.twice AS SELECT 1 AS one FROM generate_series(1, 3);
	CREATE TABLE public.nothing ();
	INSERT INTO public.nothing DEFAULT VALUES;
	SELECT lo_from_bytea(0, convert_to(repeat(md5('large ' || n), n), 'UTF8')) FROM generate_series(1, 300) AS n;
	SELECT lo_from_bytea(4000000001, ''), lo_put(lo_create(4000000002), 10000, 'behind a hole');
	CREATE TABLE public.empty (a int)});

# Rows that find their partition anew when they are restored, beside ones that do not, and in partitions whose columns
# have different orders.
$node->safe_psql('everything', q{
	CREATE TYPE public.size AS ENUM ('small', 'medium', 'large', 'huge');
	CREATE TABLE public.sized (size public.size, n int, note text) PARTITION BY LIST (size);
	CREATE TABLE public.sized_small PARTITION OF public.sized FOR VALUES IN ('small');
	CREATE TABLE public.sized_rest PARTITION OF public.sized DEFAULT PARTITION BY HASH (size);
	CREATE TABLE public.sized_rest_0 PARTITION OF public.sized_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE public.sized_rest_1 PARTITION OF public.sized_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	CREATE TABLE public.mixed (size public.size, n int) PARTITION BY HASH (size);
	CREATE TABLE public.mixed_0 (n int, size public.size);
	ALTER TABLE public.mixed ATTACH PARTITION public.mixed_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE public.mixed_1 PARTITION OF public.mixed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	INSERT INTO public.sized SELECT (enum_range(NULL::public.size))[1 + n % 4], n, 'note ' || n FROM generate_series(1, 80) AS n;
	INSERT INTO public.mixed SELECT size, n FROM public.sized});
$node->safe_psql('postgres', q{CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0});
$node->safe_psql('latin', q{CREATE TABLE "Grüße" AS SELECT 'süß ' || n AS "Wörter" FROM generate_series(1, 5) AS n});
my $before = sources();

for my $case ([ everything => 'custom' ], [ everything => 'parallel' ], [ latin => 'custom' ], [ latin => 'parallel' ])
{
	my ($database, $format) = @$case;
	my $id = start_backup($node, "'$database', format => '$format'");
	is(finished($node, $id), 'completed', "a backup of $database, $format");
	my $run = $node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')");
	is(finished($node, $run), 'completed', 'is proved by restoring it') or diag(explain(row_of($node, $run, 'restores')));
	like(row_of($node, $run, 'restores')->{message}, qr/the rows of \d+ tables are those that were dumped/, 'and its rows are compared');
	is(row_of($node, $id)->{verified_level}, 'restore', 'which the backup says');
	is(sources(), $before, 'nothing of it is left');
}

# What a fingerprint says: as many rows as there are, in a range or not.
my $id = start_backup($node, q{'everything', format => 'parallel'});
is(finished($node, $id), 'completed', 'a backup to look at');
my $folder = "$store/" . row_of($node, $id)->{file_name};
my $manifest = decode_json(read_file("$folder/manifest.json"));
my %rows = map { ("$_->{schema}.$_->{name}" => $_) } @{ $manifest->{fingerprints}{tables} };
is_deeply([ map { $rows{"public.$_"}{rows} } qw(big big_child twice nothing empty) ], [ 30000, 10, 3, 1, 0 ], 'the manifest counts rows');
cmp_ok(scalar(grep { ($_->{tables}[0]{name} // '') eq 'big' } @{ $manifest->{objects} }), '>', 1, 'of a table in several ranges, too');
is($node->safe_psql('postgres', "SELECT manifest ? 'fingerprints' FROM pgbackup.get($id)"), 'f', 'the catalog does not keep them');

my $large_objects = $node->safe_psql('everything', 'SELECT count(*) FROM pg_largeobject_metadata');
is($rows{'pg_catalog.pg_largeobject'}{rows}, $large_objects, 'and large objects');

# Rows that differ. The manifest is made to say what would have been dumped if they had been others.
sub tampered
{
	my ($name, $change) = @_;
	my $copy = decode_json(read_file("$folder/manifest.json"));
	my ($table) = grep { "$_->{schema}.$_->{name}" eq $name } @{ $copy->{fingerprints}{tables} };
	$change->($table);
	my $other = $node->basedir . '/tampered';
	PostgreSQL::Test::Utils::system_or_bail('rm', '-rf', $other);
	PostgreSQL::Test::Utils::system_or_bail('mkdir', '-p', "$other/x");
	PostgreSQL::Test::Utils::system_or_bail('cp', '-r', "$folder/.", "$other/x");
	$copy->{backup}{file_name} = 'x';
	open my $file, '>', "$other/x/manifest.json" or die $!;
	print {$file} encode_json($copy);
	close $file or die $!;
	return pgbackup($node, 'verify', $id, '--level', 'restore', '--storage', "file://$other", '-h', $node->host, '-p', $node->port);
}
my ($status, $out, $err) = tampered('public.twice', sub { });
is($status, 0, 'the command line proves it, too') or diag($err);
for my $case (
	[ 'a lost large object', 'pg_catalog.pg_largeobject', sub { $_[0]{rows}++ }, "large objects: $large_objects instead of " . ($large_objects + 1) ],
	[ 'a changed large object', 'pg_catalog.pg_largeobject', sub { $_[0]{hash} =~ tr/0-9a-f/1-9a-f0/ },
		"large objects: the contents of some of the $large_objects differ" ],
	[ 'a lost row that moved', 'public.sized_rest_0', sub { $_[0]{rows}++ }, 'public.sized: 60 rows instead of 61' ],
	[ 'a changed row that moved', 'public.sized_rest_1', sub { $_[0]{hash} =~ tr/0-9a-f/1-9a-f0/ }, 'public.sized: the contents of some of its 60 rows differ' ],
	[ 'a lost row among unlike partitions', 'public.mixed_1', sub { $_[0]{rows}++ }, 'public.mixed: 80 rows instead of 81' ],
	[ 'a lost row', 'public.twice', sub { $_[0]{rows} = 4 }, '"public"."twice": 3 rows instead of 4' ],
	[ 'a changed row', 'public.twice', sub { $_[0]{hash} =~ tr/0-9a-f/1-9a-f0/ }, '"public"."twice": the contents of some of its 3 rows differ' ])
{
	my ($title, $name, $change, $words) = @$case;
	($status, $out, $err) = tampered($name, $change);
	is($status, 4, "$title is noticed");
	like($err, qr/\Q$words\E/, 'in the table it is in');
	is(sources(), $before, 'nothing of it is left');
}

# A part is proved as what it is: it need not be restorable alone.
$node->safe_psql('postgres', 'CREATE DATABASE parts');
$node->safe_psql('parts', q{
	CREATE SCHEMA needed;
	CREATE TYPE needed.kind AS ENUM ('a', 'b');
	CREATE TABLE parent (id int PRIMARY KEY);
	CREATE TABLE child (parent int REFERENCES parent, kind needed.kind);
	INSERT INTO parent VALUES (1);
	INSERT INTO child VALUES (1, 'a')});
$before = sources();
for my $case (
	[ q{content => 'data', format => 'custom'}, qr/^the backup holds data only, which cannot be restored alone: its objects were read$/ ],
	[ q{content => 'data', format => 'plain'}, qr/^the backup holds data only/ ],
	[ q{content => 'schema'}, qr/^the rows of 0 tables are those that were dumped|no fingerprints/ ],
	[ q{tables => '{public.parent}'}, qr/^the rows of 1 tables are those that were dumped/ ],
	[ q{tables => '{public.child}', format => 'custom'}, qr/^the backup holds a part of its database, which could not be restored alone.*needed/ ],
	[ q{exclude_table_data => '{public.parent}', format => 'parallel'}, qr/^the backup holds a part of its database, which could not be restored alone.*foreign key/ ])
{
	my ($arguments, $message) = @$case;
	my $part = start_backup($node, "'parts', $arguments");
	is(finished($node, $part), 'completed', "a backup with $arguments");
	my $run = $node->safe_psql('postgres', "SELECT pgbackup.verify($part, 'restore')");
	is(finished($node, $run), 'completed', 'is verified') or diag(explain(row_of($node, $run, 'restores')));
	like(row_of($node, $run, 'restores')->{message}, $message, 'as what it is');
	is(sources(), $before, 'nothing of it is left');
}

$node->stop;
done_testing();
