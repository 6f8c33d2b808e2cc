# A parallel backup: which rows are in which object, whatever is selected, and that they are all
# there.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('lanes', 'pgbackup.format' => 'parallel', max_wal_size => '4GB', fsync => 'off');
my $store = $node->basedir . '/store';

# The objects of a backup as "name: schema.table …" lines; a range with its pages.
sub layout
{
	my ($id) = @_;
	return $node->safe_psql('postgres', qq{
		SELECT o->>'name' || coalesce(': ' || (SELECT string_agg((t->>'schema') || '.' || (t->>'name'), ' ' ORDER BY t->>'name')
		         FROM jsonb_array_elements(o->'tables') t), '')
		       || coalesce(' ' || (o->'copy'->>'first_page') || '-' || coalesce(o->'copy'->>'end_page', ''), '')
		  FROM pgbackup.backups b, jsonb_array_elements(b.manifest->'objects') o WHERE b.id = $id
		 ORDER BY o->>'name'});
}

sub backup
{
	my ($arguments) = @_;
	my $id = start_backup($node, $arguments);
	is(finished($node, $id), 'completed', "a backup with $arguments completes")
	  or diag(explain(row_of($node, $id)));
	return $id;
}

sub restored_equal
{
	my ($id, $database, $title) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "CALL pgbackup.run_restore($id, 'back_$id', jobs => 2)");
	is($code, 0, "$title: restored") or diag($err);
	ok(database_as_text($node, "back_$id") eq database_as_text($node, $database), "$title: equal");
	$node->safe_psql('postgres', "DROP DATABASE IF EXISTS back_$id");
	return;
}

$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
$node->safe_psql('shop', q{
	CREATE SCHEMA "Odd ""S""";
	CREATE TABLE "Odd ""S"""."big.Table" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, filler text,
		twice int GENERATED ALWAYS AS (2 * length(filler)) STORED, gone int);
	ALTER TABLE "Odd ""S"""."big.Table" ALTER filler SET STORAGE EXTERNAL, DROP gone;
	INSERT INTO "Odd ""S"""."big.Table" (filler) SELECT repeat(md5(i::text), 60) FROM generate_series(1, 40000) i;
	CREATE TABLE child () INHERITS ("Odd ""S"""."big.Table");
	INSERT INTO child (filler, id) OVERRIDING SYSTEM VALUE VALUES ('of the child', -1);
});
my $id = backup(q{'shop'});
is(layout($id), "data-000.dump.zst\ndata-001.dump.zst: Odd \"S\".big.Table\nglobals.sql.zst\nschema.dump.zst",
	'a big table is an object of its own');
restored_equal($id, 'shop', 'with a big table');

# Ranges.
restart_settings($node, 'pgbackup.split_table_size' => '32768');
$node->safe_psql('shop', q{UPDATE "Odd ""S"""."big.Table" SET filler = filler || id WHERE id % 7 = 0});
$id = backup(q{'shop', jobs => 3});
my $pages = $node->safe_psql('shop',
	q{SELECT pg_relation_size('"Odd ""S"""."big.Table"') / current_setting('block_size')::int});
my $layout = layout($id);
my @ranges = $layout =~ /^data-\d+\.sql\.zst: Odd "S"\.big\.Table (\d+-\d*)$/mg;
cmp_ok(scalar @ranges, '>=', 3, 'a huge table is split into ranges') or diag($layout);
like($ranges[0], qr/^0-\d+$/, 'the first begins with the first page');
like($ranges[-1], qr/^\d+-$/, 'the last has no end');
my $met = 1;
for my $i (1 .. $#ranges)
{
	$met = 0 unless (split /-/, $ranges[$i - 1])[1] eq (split /-/, $ranges[$i])[0];
}
ok($met, 'and each begins where the one before ends');
my $rows = 0;
for my $object (grep { /\.sql\.zst$/ && !/globals/ } storage_files("$store/" . row_of($node, $id)->{file_name}))
{
	my $path = "$store/" . row_of($node, $id)->{file_name} . "/$object";
	my $text = `zstd -dcq '$path'`;
	like($text, qr/\n\\\.\n\z/, "$object ends like COPY's data");
	my ($data) = $text =~ /^COPY "Odd ""S"""\."big\.Table" \("id", "filler"\) FROM stdin WITH \(ENCODING 'UTF8'\);\n(.*)\\\.\n\z/ms;
	$rows += ($data =~ tr/\n//) if defined $data;
}
is($rows, 40000, 'all ranges together hold every row once');
restored_equal($id, 'shop', 'with a huge table');

# Selective backups honour the options in every lane.
for my $case (
	[ q{'shop', tables => '{public.nowhere}'}, undef ],
	[ q{'shop', tables => '{"\"Odd \"\"S\"\"\".\"big.Table\""}'}, qr/big\.Table/ ],
	[ q{'shop', schemas => '{stock}'}, qr/\A(?!.*big\.Table)/s ],
	[ q{'shop', exclude_tables => '{public.child,"\"Odd \"\"S\"\"\".\"big.Table\""}'}, qr/\A(?!.*big\.Table)/s ],
	[ q{'shop', exclude_table_data => '{"\"Odd \"\"S\"\"\".\"big.Table\""}'}, qr/\A(?!.*big\.Table)/s ],
	[ q{'shop', content => 'schema'}, qr/\A(?!.*data-)/s ],
	[ q{'shop', content => 'data'}, qr/\A(?!.*schema).*big\.Table/s ])
{
	my ($arguments, $pattern) = @$case;
	if (!defined $pattern)
	{
		fails_with($node, $arguments, qr/does not exist/, 'a table that is not there', $store);
		next;
	}
	like(layout(backup($arguments)), $pattern, "its objects hold what $arguments says");
}

# Many small tables are shared by the lanes.
$node->safe_psql('postgres', 'CREATE DATABASE many');
$node->safe_psql('many', q{
	DO $$ BEGIN FOR i IN 1 .. 600 LOOP
		EXECUTE format('CREATE TABLE "T %s" AS SELECT g, md5(g::text) FROM generate_series(1, 50) g', i);
	END LOOP; END $$});
$id = backup(q{'many', jobs => 2});
my ($bundle) = layout($id) =~ /^data-001\.dump\.zst: (.*)$/m;
my $named = () = ($bundle // '') =~ /public\.T /g;
cmp_ok($named, '>', 200, 'a bundle has its share of them') or diag(layout($id));
cmp_ok($named, '<', 400, 'and no more');
restored_equal($id, 'many', 'with a bundle');

# Rows that find their partition by the hash of an enum's value do so anew: in another database the
# numbers behind the values are others.
$node->safe_psql('postgres', 'CREATE DATABASE hashed');
$node->safe_psql('hashed', q{
	CREATE TYPE mood AS ENUM ('calm', 'glad', 'sad', 'cross', 'shy');
	CREATE TABLE moods (m mood, id int, filler text) PARTITION BY HASH (m);
	CREATE TABLE moods_0 PARTITION OF moods FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE moods_1 PARTITION OF moods FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY HASH (id);
	CREATE TABLE moods_1a PARTITION OF moods_1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
	CREATE TABLE by_number (id int, filler text) PARTITION BY HASH (id);
	CREATE TABLE by_number_0 PARTITION OF by_number FOR VALUES WITH (MODULUS 1, REMAINDER 0);
	INSERT INTO moods SELECT (enum_range(NULL::mood))[1 + i % 5], i, repeat(md5(i::text), 30) FROM generate_series(1, 20000) i;
	INSERT INTO by_number SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 5000) i;
});
restart_settings($node, 'pgbackup.split_table_size' => '1024');
$id = backup(q{'hashed'});
unlike(layout($id), qr/public\.moods/, 'partitions by the hash of an enum have no object of their own');
like(layout($id), qr/^data-001\.sql\.zst: public\.by_number_0 0-/m, 'those by the hash of a number have');
restored_equal($id, 'hashed', 'hashed partitions');

# Names in another encoding than the client's.
$node->safe_psql('postgres', q{CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0});
$node->safe_psql('latin', qq{SET client_encoding = UTF8;
	CREATE TABLE "b\xc3\xbccher" ("gr\xc3\xb6\xc3\x9fe" int, t text);
	INSERT INTO "b\xc3\xbccher" SELECT i, repeat(md5(i::text) || 'gr\xc3\xb6\xc3\x9fe', 60) FROM generate_series(1, 30000) i});
for my $split (32768, 16777216)
{
	restart_settings($node, 'pgbackup.split_table_size' => $split);
	$id = backup(q{'latin'});
	restored_equal($id, 'latin', "LATIN1, split above $split kB");
}

$node->stop;
done_testing();
