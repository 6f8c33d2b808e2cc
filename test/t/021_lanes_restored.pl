# A backup whose large tables have objects of their own comes back equal, its indexes are built while
# rows are still coming, and what is damaged or not asked for is treated as it should.
use strict;
use warnings;
use utf8;

use Encode qw(encode);
use FindBin;
use lib "$FindBin::RealBin/../perl";
use File::Copy qw(copy move);
use File::Path qw(make_path);
use LanedBackup;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('lanes', shared_buffers => '256MB', maintenance_work_mem => '4MB', max_wal_size => '2GB');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/lanes.sql')));
my $source = database_as_text($node, 'shop');
my $odd = [ 'Odd "s"', q{T a.b|ble*'} ];
my $id = start_backup($node, q{'shop', format => 'parallel'});
is(finished($node, $id), 'completed', 'a parallel backup');
my $folder = lane_backup($node, $id,
	[ [ $odd ], [ [ 'app', 'account' ], [ 'app', 'pairs' ] ], [ [ 'app', 'event_2024' ] ], [ [ 'app', 'event_2025_0' ] ], [ [ 'app', 'base' ] ] ],
	[ [ [ 'app', 'large' ], 3 ], [ [ 'app', 'derived' ], 2 ], [ [ 'app', 'event_2025_1' ], 2 ], [ [ 'app', 'nothing' ], 1 ], [ [ 'app', 'watched' ], 1 ] ]);
my $manifest = read_manifest($folder);

# The name of the object that holds the rows (of the n-th range) of a table in schema app.
sub object_with
{
	my ($table, $n) = @_;
	my @found = grep { grep { $_->{name} eq $table } @{ $_->{tables} // [] } } @{ $manifest->{objects} };
	return $found[ $n // 0 ]->{name};
}

sub no_side_database
{
	my ($title) = @_;
	is($node->safe_psql('postgres', q{SELECT datname FROM pg_database WHERE datname ~ 'restore_[0-9]'}), '',
		"$title: no side database is left");
	return;
}

# A pg_restore that waits, at the beginning of its first archive of rows, for the file "go".
my $slow = $node->basedir . '/slow_restore';
make_path($slow);
my $bin = $node->config_data('--bindir');
symlink "$bin/$_", "$slow/$_" for qw(pg_dump pg_dumpall psql);
append_to_file("$slow/pg_restore", <<"SCRIPT");
#!/bin/bash
if [[ "\$*" == *--section=data* ]] && mkdir "$slow/reached" 2>/dev/null; then
  while [ ! -e "$slow/go" ]; do read -r -t 0.05 <> <(:); done
fi
exec "$bin/pg_restore" "\$@"
SCRIPT
chmod 0755, "$slow/pg_restore";

sub caught_restore
{
	my ($arguments) = @_;
	rmdir "$slow/reached";
	unlink "$slow/go";
	restart_settings($node, 'pgbackup.bin_directory' => $slow);
	my $restore = start_restore($node, $arguments);
	wait_for_file("$slow/reached");
	return $restore;
}

# Whole and equal; while the rows of one table are held up, the indexes of another are built.
my $log_from = -s $node->logfile;
my $restore = caught_restore("$id, 'back', jobs => 2");
my $side = row_of($node, $restore, 'restores')->{staging_database};
$node->poll_query_until($side, q{SELECT count(*) = 6 FROM pg_index
	WHERE indrelid = 'app.large'::regclass AND indisvalid}) or die 'no indexes';
is($node->safe_psql($side, q{SELECT count(*) FROM pg_constraint WHERE contype = 'f'}), 0,
	'indexes of a large table are built while rows of another are held up, foreign keys are not');
is($node->safe_psql($side, q{SELECT count(*) FROM pg_class WHERE relname = 'large_witness'}), 0,
	'and no index that calls a function of the database');
is( $node->safe_psql('postgres', "SELECT phase, total_bytes FROM pgbackup.progress WHERE id = $restore AND kind = 'restore'"),
	'data|' . eval { my $sum = 0; $sum += $_->{raw_size} for grep { $_->{kind} ne 'globals' } @{ $manifest->{objects} }; $sum },
	'the phase is that of the rows, and all objects count');
my $with_rows = grep { $_->{name} ne 'pg_largeobject' } @{ $manifest->{fingerprints}{tables} };
my ($done, $total, $current, $percent) = split /\|/,
  $node->safe_psql('postgres', "SELECT tables_done, tables_total, cardinality(current_tables), percent FROM pgbackup.progress WHERE id = $restore");
is($total, $with_rows, 'all tables with rows are to be loaded');
cmp_ok($done, '>', 0, 'some of them are there');
cmp_ok($done + $current, '<', $total, 'and some are not');
cmp_ok($percent, '<', 100, 'which is not all there is');
append_to_file("$slow/go", '');
is(finished($node, $restore), 'completed', 'the restore completes') or diag(explain(row_of($node, $restore, 'restores')));
ok(database_as_text($node, 'back') eq $source, 'and the database is equal');
is($node->safe_psql('back', q{SELECT count(*) FROM pg_index WHERE NOT indisvalid}), 0, 'all indexes are valid');
is( $node->safe_psql('back', q{SELECT relname FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indisclustered OR indisreplident ORDER BY 1}),
	"large_account\nlarge_pair", 'also those that a table is clustered on and identified by');
is($node->safe_psql('back', 'SHOW synchronous_commit'), 'on', 'settings of the restoring sessions are gone');
my $log = substr(read_file($node->logfile), $log_from);
$log =~ s/execute <unnamed>: ANALYZE.*//s;  # those sessions see the whole database
my @witnessed = $log =~ /pgbackup restore \d+ LOG:  witness: (.*)/g;
cmp_ok(scalar @witnessed, '>=', 2, 'a COPY of ours and an index build of pg_restore say what their sessions are like');
# Since version 17 the server itself sets the search_path of what builds an index.
like($_, qr/^off 128MB \[(pg_catalog, pg_temp)?\] on 0 0 on off content$/, 'no waiting for commits, memory for indexes, nothing of the role')
  for @witnessed;
restart_settings($node, 'pgbackup.bin_directory' => '');

for my $jobs (1, 4)
{
	$restore = start_restore($node, "$id, 'back$jobs', jobs => $jobs");
	is(finished($node, $restore), 'completed', "on $jobs lanes, too") or diag(explain(row_of($node, $restore, 'restores')));
	ok(database_as_text($node, "back$jobs") eq $source, 'equal');
	$node->safe_psql('postgres', "DROP DATABASE back$jobs");
}

# Cancelled in the middle.
$restore = caught_restore("$id, 'never', jobs => 2");
$node->poll_query_until(row_of($node, $restore, 'restores')->{staging_database}, q{SELECT count(*) > 0 FROM pg_index WHERE indrelid = 'app.large'::regclass}) or die;
$node->safe_psql('postgres', "SELECT pgbackup.cancel($restore)");
is(finished($node, $restore), 'cancelled', 'a restore is cancelled in the middle');
no_side_database('cancelled');
restart_settings($node, 'pgbackup.bin_directory' => '');

# A part of it, without the objects it does not need.
sub without_objects
{
	my ($names, $action) = @_;
	move("$folder/$_", "$folder/../$_") or die $! for @$names;
	$action->();
	move("$folder/../$_", "$folder/$_") or die $! for @$names;
	return;
}

sub restores_part
{
	my ($arguments, $title) = @_;
	my $part = start_restore($node, "$id, 'part', $arguments");
	is(finished($node, $part), 'completed', $title) or diag(explain(row_of($node, $part, 'restores')));
	return;
}

my @all = map { $_->{name} } @{ $manifest->{objects} };
without_objects([ grep { /^data-/ && $_ ne 'data-000.dump.zst' && $_ !~ /\.sql/ || $_ eq object_with('derived', 1) } @all ], sub {
	restores_part(q{tables => '{app.large,app.watched}'}, 'two tables come back without the objects of others');
	is($node->safe_psql('part', 'SELECT count(*), sum(length(note)) FROM app.large'),
		$node->safe_psql('shop', 'SELECT count(*), sum(length(note)) FROM app.large'), 'with all rows');
	is($node->safe_psql('part', q{SELECT count(*) FROM pg_index WHERE indrelid = 'app.large'::regclass}), 7, 'and indexes');
	$node->safe_psql('postgres', 'DROP DATABASE part');
});
without_objects([ grep { /^data-/ } @all ], sub {
	restores_part(q{content => 'schema'}, 'the schema comes back without any object of rows');
	is($node->safe_psql('part', q{SELECT (SELECT count(*) FROM app.large), (SELECT count(*) FROM pg_index WHERE indrelid = 'app.large'::regclass)}),
		'0|7', 'no rows, all indexes');
	$node->safe_psql('postgres', 'DROP DATABASE part');
});
restores_part(q{content => 'data'}, 'the rows come back in tables that have nothing else');
is($node->safe_psql('part', 'SELECT count(*), sum(length(note)) FROM app.large'),
	$node->safe_psql('shop', 'SELECT count(*), sum(length(note)) FROM app.large'), 'all rows');
is($node->safe_psql('part', 'SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace::regnamespace::text !~ \'^pg_\''),
	0, 'no indexes');
is($node->safe_psql('part', q{SELECT count(*) FROM pg_constraint WHERE contype IN ('p', 'u', 'f', 'x') AND connamespace::regnamespace::text !~ '^(pg_|information_schema)'}),
	0, 'and no keys');
$node->safe_psql('postgres', 'DROP DATABASE part');
restores_part(q{tables => '{app.event,app.counter}'}, 'a partitioned table and a sequence');
is($node->safe_psql('part', 'SELECT count(*), sum(id) FROM app.event'),
	$node->safe_psql('shop', 'SELECT count(*), sum(id) FROM app.event'), 'bring the rows of all partitions');
is($node->safe_psql('part', 'SELECT last_value, is_called FROM app.counter'), '77|t', 'and the value of the sequence');
is($node->safe_psql('part', 'SELECT count(*) FROM pg_largeobject_metadata'), 0, 'large objects belong to no table');
is($node->safe_psql('part', 'SELECT count(*) FROM pg_index WHERE NOT indisvalid'), 0, 'all indexes are valid');
$node->safe_psql('postgres', 'DROP DATABASE part');
restores_part(q{schemas => '{"Odd \"s\""}'}, 'a schema with an odd name');
is($node->safe_psql('part', qq{SELECT count(*) FROM "Odd ""s"""."T a.b|ble*'"}), 9000, 'has its rows');
$node->safe_psql('postgres', 'DROP DATABASE part');

# What is damaged fails the restore and leaves nothing. An action may return another manifest.
sub fails
{
	my ($title, $object, $change, $pattern) = @_;
	copy("$folder/$object", "$folder/../kept") or die $!;
	my $changed = read_manifest($folder);
	$change->("$folder/$object", $changed);
	write_manifest($node, $id, $folder, $changed);
	my $run = start_restore($node, "$id, 'never', jobs => 2");
	is(finished($node, $run), 'failed', "$title: the restore is failed");
	my $row = row_of($node, $run, 'restores');
	like("$row->{message} $row->{detail}", $pattern, "$title: the row says what");
	isnt($row->{hint}, '', "$title: and what to do");
	no_side_database($title);
	copy("$folder/../kept", "$folder/$object") or die $!;
	write_manifest($node, $id, $folder, $manifest);
	return $row;
}

# Changes the content of an object; size and checksum are right.
sub rewritten
{
	my ($content_change) = @_;
	return sub {
		my ($file, $changed) = @_;
		my ($name) = $file =~ m{([^/]+)$};
		my $content = `zstd -dcq '$file'`;
		$content = $content_change->($content);
		my $stored = store_object($folder, $name, $content);
		my $object = object_of($changed, $name);
		$object->{$_} = $stored->{$_} for qw(raw_size size segments);
	};
}

my $range = object_with('large', 1);
my $named = qr/rows of table "app"\."large" from \Q$range\E/;
fails('a range is cut off', $range, sub { truncate $_[0], 5000 }, qr/^object ".*\Q$range\E" is damaged .*5000 bytes/);
fails('a byte of a range is another', $range, sub {
	my $bytes = read_file($_[0]);
	substr($bytes, length($bytes) / 2, 1) ^= "\1";
	unlink $_[0];
	append_to_file($_[0], $bytes);
}, qr/$named: object .* is damaged/);
fails('a range is missing', $range, sub { unlink $_[0] }, qr/^object ".*\Q$range\E" of the backup is missing/);
fails('a range ends without its end', $range, rewritten(sub { $_[0] =~ s/\\\.\n\z//r }),
	qr/$named: object .* is damaged.*ends before/);
fails('a range has something behind its end', $range, rewritten(sub { $_[0] . "1\n" }),
	qr/$named: object .* is damaged.*follows/);
fails('a range is of another table', $range, rewritten(sub { $_[0] =~ s/COPY "app"\."large"/COPY "app"."nothing"/r }),
	qr/$named: object .* is damaged.*does not begin/);
fails('a row does not fit', $range, rewritten(sub { $_[0] =~ s/(\n[^\n]*)\t/$1\tno number\t/r }), qr/$named: .*SQLSTATE 22/);
fails('an archive is cut off', object_with('T a.b|ble*\''), sub { truncate $_[0], 5000 }, qr/is damaged/);
fails('rows come twice', $range, sub {
	my ($file, $changed) = @_;
	my %twice = (%{ object_of($changed, $range) }, name => 'data-099.sql.zst');
	push @{ $changed->{objects} }, \%twice;
}, qr/constraint "large_\w+" of table "app"\."large" exited .*could not create/);

# An index whose function fails in another database.
$node->safe_psql('postgres', 'CREATE DATABASE picky');
$node->safe_psql('picky', q{
	CREATE TABLE t AS SELECT i FROM generate_series(1, 10) i;
	CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
		IF current_database() <> 'picky' THEN RAISE 'not in this database'; END IF; RETURN $1; END $$;
	CREATE INDEX t_f ON t (f(i))});
my $picky = start_backup($node, q{'picky', format => 'parallel'});
is(finished($node, $picky), 'completed', 'a backup of an index whose function is picky');
lane_backup($node, $picky, [], [ [ [ 'public', 't' ], 1 ] ]);
$restore = start_restore($node, "$picky, 'never'");
is(finished($node, $restore), 'failed', 'an index that cannot be built fails the restore');
like(row_of($node, $restore, 'restores')->{message}, qr/pg_restore of schema\.dump\.zst .*a function of the database raised this error/,
	'without what it says, which may be of rows');
no_side_database('a picky index');

# A database in another encoding.
$node->safe_psql('postgres', q{CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0});
$node->safe_psql('latin', encode('UTF-8', q{
	CREATE TABLE "Käse" ("Stück" int PRIMARY KEY, "Ü" text);
	INSERT INTO "Käse" SELECT i, 'größer als ' || i || repeat('é', 1900) FROM generate_series(1, 5000) i;
	CREATE INDEX "Käse_Ü" ON "Käse" (left("Ü", 30));
	CREATE TABLE "Bröt" AS SELECT 'é' AS a FROM generate_series(1, 3)}), connstr => $node->connstr('latin') . ' client_encoding=UTF8');
my $latin = start_backup($node, q{'latin', format => 'parallel'});
is(finished($node, $latin), 'completed', 'a backup of a LATIN1 database');
lane_backup($node, $latin, [ [ [ 'public', 'Bröt' ] ] ], [ [ [ 'public', 'Käse' ], 2 ] ]);
for my $case ([ '', 'whole' ], [ encode('UTF-8', q{, tables => '{"public.\"Käse\"","public.\"Bröt\""}'}), 'selected' ])
{
	$restore = start_restore($node, "$latin, 'latin_back'$case->[0]");
	is(finished($node, $restore), 'completed', "$case->[1], it is restored") or diag(explain(row_of($node, $restore, 'restores')));
	ok(database_as_text($node, 'latin_back') eq database_as_text($node, 'latin'), 'equal');
	$node->safe_psql('postgres', 'DROP DATABASE latin_back');
}

$node->stop;
done_testing();
