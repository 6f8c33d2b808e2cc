# What pgbackup.progress and CALL pgbackup.run() tell of a backup while it runs, and who waits for it.
use strict;
use warnings;
use utf8;

use Encode qw(encode);
use FindBin;
use IPC::Run;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Nothing is compressed, so that the limit paces the rows themselves.
my $node = new_cluster('progress', 'pgbackup.compression' => 'none', 'pgbackup.lock_guard_timeout' => 0,
	'pgbackup.retry_count' => 0, fsync => 'off');
my $folder = $node->basedir;
append_to_file("$folder/hook", <<"SCRIPT");
#!/bin/bash
touch "$folder/ended"
while [ ! -e "$folder/go" ]; do read -r -t 0.05 <> <(:); done
SCRIPT
chmod 0755, "$folder/hook";
my $longest = 'ä' x 31 . 'z';
my $hostile = encode('UTF-8', qq{a.b, "c"\n{\\d} \$\$; é});
(my $in_sql = $hostile) =~ s/"/""/g;
my $longest_in_sql = encode('UTF-8', $longest);
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', qq{
	CREATE SCHEMA "Odd ""s""";
	CREATE TABLE plain (id int, filler text);
	INSERT INTO plain SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 1000) i;
	CREATE TABLE "Odd ""s"""."$in_sql" AS TABLE plain;
	CREATE TABLE "$longest_in_sql" AS TABLE plain;
	CREATE TABLE parts (id int, filler text) PARTITION BY RANGE (id);
	CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (500);
	CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (500) TO (2000);
	INSERT INTO parts TABLE plain;
	CREATE TABLE empty ();
	SELECT lo_from_bytea(0, convert_to(repeat('x', 100000), 'UTF8'));
});
my $tables = 6;

# Runs SQL in a session of its own, without waiting for it.
sub in_background
{
	my ($database, $sql) = @_;
	my %session = (out => '', err => '');
	$session{run} = IPC::Run::start(
		[ $node->installed_command('psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-c', $sql ],
		'<', \undef, '>', \$session{out}, '2>', \$session{err}, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%session;
}

sub succeeds
{
	my ($session, $title) = @_;
	ok(IPC::Run::finish($session->{run}), $title) or diag($session->{err});
	return;
}

# Waits until a session has written what matches.
sub await_words
{
	my ($session, $pattern) = @_;
	wait_until(sub { $session->{run}->pump_nb; $session->{err} =~ $pattern }, $pattern);
	return;
}

# Starts a backup that waits in its hook once it is complete. The view is read a hundred times a second,
# into table "seen". Returns the run's id, the session that called it and the one that reads.
sub watched_backup
{
	my ($arguments) = @_;
	unlink "$folder/ended", "$folder/go";
	$node->safe_psql('postgres',
		'DROP TABLE IF EXISTS seen; CREATE TABLE seen AS SELECT clock_timestamp() AS at, p.* FROM pgbackup.progress p WITH NO DATA');
	my $caller = in_background('postgres', "CALL pgbackup.run($arguments)");
	await_words($caller, qr/run \d+ is queued/);
	my ($id) = $caller->{err} =~ /run (\d+) is queued/;
	my $reader = in_background('postgres', qq{DO \$\$ BEGIN
		LOOP
			INSERT INTO seen SELECT clock_timestamp(), p.* FROM pgbackup.progress p WHERE p.id = $id;
			COMMIT;
			EXIT WHEN NOT EXISTS (SELECT FROM pgbackup.backups WHERE id = $id AND status IN ('pending', 'in_progress'));
			PERFORM pg_sleep(0.01);
		END LOOP;
	END \$\$});
	return ($id, $caller, $reader);
}

sub let_go { append_to_file("$folder/go", ''); return }

sub sql { return $node->safe_psql('postgres', $_[0]) }

# How often a column of "seen" has fallen.
sub falls
{
	my ($column) = @_;
	return sql(qq{SELECT count(*) FROM (SELECT $column < lag($column) OVER (ORDER BY at) AS fell FROM seen) s WHERE fell});
}

restart_settings($node, 'pgbackup.bandwidth_limit' => '1024', # kilobytes a second
	'pgbackup.post_backup_command' => qq{["$folder/hook"]});
for my $format ('custom', 'parallel', 'plain')
{
	my ($id, $caller, $reader) = watched_backup("'shop', format => '$format'");

	# Who waits for it, and who waits behind that.
	$node->poll_query_until('postgres', "SELECT lock_waiters = 0 AND xmin_age >= 0 FROM pgbackup.progress WHERE phase = 'dumping'") or die;
	my $change = in_background('shop', 'ALTER TABLE parts ADD COLUMN more int');
	ok($node->poll_query_until('postgres', 'SELECT lock_waiters = 1 FROM pgbackup.progress'), "$format: a change waits for the backup");
	my $query = in_background('shop', 'SELECT count(*) FROM parts');
	$node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = 'shop' AND wait_event_type = 'Lock'}) or die;
	is(sql(q{SELECT lock_waiters FROM pgbackup.progress}), 1, "$format: who waits behind it does not wait for the backup");

	# The end, as the last look at it shows.
	wait_for_file("$folder/ended");
	succeeds($change, "$format: the change gets its turn");
	succeeds($query, "$format: and so does who waited behind it");
	$node->safe_psql('shop', 'ALTER TABLE parts DROP COLUMN more');
	my $size_of_objects = q{SELECT sum((s->>'size')::bigint) FROM jsonb_array_elements(b.manifest->'objects') o, jsonb_array_elements(o->'segments') s};
	$node->poll_query_until('postgres', q{SELECT phase = 'after the backup' AND percent = 100 FROM pgbackup.progress}) or die;
	my $told = $format eq 'plain' ? '||' : "$tables|$tables|{}";
	is(sql(q{SELECT eta, lock_waiters, xmin_age IS NULL, tables_done, tables_total, current_tables FROM pgbackup.progress}),
		"00:00:00|0|t|$told", "$format: in the end all is done, and nothing is held any more");
	await_words($caller, qr/after the backup: \d+ MB/);
	like($caller->{err},
		$format eq 'plain'
		? qr/after the backup: \d MB of about \d MB read, \d MB stored, \d\.\d MB\/s$/m
		: qr/after the backup: \d MB of about \d MB read, \d MB stored, $tables of $tables tables, \d\.\d MB\/s$/m,
		"$format: run() tells it, too");
	my $last = sql('SELECT raw_bytes, stored_bytes, total_bytes, throughput FROM pgbackup.progress');
	let_go();
	succeeds($reader, "$format: it was watched to its end");
	succeeds($caller, "$format: it completes");
	my ($raw, $stored, $total, $throughput) = split /\|/, $last;
	is("$raw|$total|$stored", sql("SELECT raw_size, raw_size, ($size_of_objects) FROM pgbackup.backups b WHERE id = $id") =~ s/\n//r,
		"$format: the last numbers are those of the row");

	# On the way.
	cmp_ok(sql('SELECT count(DISTINCT percent) FROM seen WHERE percent > 0 AND percent < 100'), '>=', 5, "$format: it was seen on its way");
	is(join(' ', map { falls($_) } qw(percent raw_bytes stored_bytes tables_done)), '0 0 0 0', "$format: nothing goes back");
	is(sql('SELECT count(*) FROM seen WHERE percent = 100 AND raw_bytes < (SELECT max(raw_bytes) FROM seen)'), 0, "$format: 100 is the end");
	cmp_ok($throughput, '>', 300_000, "$format: the rate is about the limit");
	cmp_ok($throughput, '<', 2_000_000, "$format: and no more");
	is(sql(q{SELECT count(*) FROM seen WHERE eta < interval '0'}), 0, "$format: no end lies in the past");
	cmp_ok(sql(q{SELECT count(*) FROM seen WHERE phase = 'dumping' AND eta > interval '1 s'}), '>', 0, "$format: it was told how long it takes");
	is(sql('SELECT string_agg(DISTINCT lock_waiters::text, NULL) FROM seen'), '01', "$format: one waits at most");
	is(falls('xmin_age'), 0, "$format: the snapshot does not get younger");
	cmp_ok(sql('SELECT max(xmin_age) - min(xmin_age) FROM seen'), '>=', 50, "$format: it gets older with each transaction of others");
	next if $format eq 'plain';

	# Tables.
	my $known = $node->safe_psql('shop', q{SELECT array_agg(format('%I.%I', nspname, relname)) FROM pg_class c
		JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname <> 'information_schema' AND nspname !~ '^pg_'});
	my $quoted = $known =~ s/'/''/gr;
	is(sql(qq{SELECT count(*) FROM seen, unnest(current_tables) t WHERE t <> ALL ('$quoted'::text[])}), 0, "$format: tables are called as they are");
	for my $table (qq{"Odd ""s"""."$in_sql"}, qq{public."$longest_in_sql"}, 'public.plain')
	{
		my $literal = $table =~ s/'/''/gr;
		cmp_ok(sql(qq{SELECT count(*) FROM seen WHERE '$literal' = ANY (current_tables)}), '>', 0, "$format: one of them is " . $table =~ s/\n/ /gr);
	}
	is(sql(q{SELECT string_agg(DISTINCT tables_total::text, ' ') FROM seen}), $tables, "$format: it is known how many there are");
	cmp_ok(sql('SELECT count(DISTINCT tables_done) FROM seen'), '>=', 3, "$format: and they are done one by one");
	cmp_ok(sql('SELECT max(cardinality(current_tables)) FROM seen'), '<=', 2, "$format: never more at once than there are lanes");
}

# A name that is longer here than in its own database is cut between characters.
$node->safe_psql('postgres', q{CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0});
my $wide = encode('UTF-8', 'x' . 'ä' x 62);
$node->safe_psql('latin', qq{SET client_encoding = 'UTF8';
	CREATE TABLE "$wide" AS SELECT i, repeat(md5(i::text), 30) AS filler FROM generate_series(1, 1500) i});
my ($id, $caller, $reader) = watched_backup(q{'latin'});
wait_for_file("$folder/ended");
let_go();
succeeds($_, 'a backup of a database in another encoding') for $reader, $caller;
is(sql('SELECT DISTINCT t FROM seen, unnest(current_tables) t'), encode('UTF-8', 'public."x' . 'ä' x 31 . '"'),
	'a name that does not fit is cut between characters');

# Without a total, the last run of the same kind tells how long it takes.
restart_settings($node, 'pgbackup.bandwidth_limit' => '0', 'pgbackup.post_backup_command' => '');
is(finished($node, my $model = start_backup($node, q{'shop', content => 'schema'})), 'completed', 'a backup of the definitions');
sql("UPDATE pgbackup.backups SET finished_at = started_at + interval '1 hour' WHERE id = $model");
my $slow = slow_programs($node, 100);
restart_settings($node, 'pgbackup.bin_directory' => $slow);
for my $case ([ q{'shop', content => 'schema'}, 't|t|0|0' ], [ q{'shop', content => 'schema', schemas => '{public}'}, 't||0|0' ])
{
	unlink "$slow/reached", "$slow/go";
	my $held = start_backup($node, $case->[0]);
	wait_for_file("$slow/reached");
	$node->poll_query_until('postgres', "SELECT raw_bytes > 0 FROM pgbackup.progress WHERE id = $held") or die;
	is(sql(q{SELECT percent IS NULL, eta BETWEEN interval '50 min' AND interval '1 hour', tables_done, tables_total FROM pgbackup.progress}),
		$case->[1], "$case->[0]: no table, and the time of the last run that did the same, if there is one");
	append_to_file("$slow/go", '');
	is(finished($node, $held), 'completed', 'it completes');
}

$node->stop;

# Where the catalog's own encoding lacks a character, nothing is lost but that.
my $poor = new_cluster('poor', -extension => 0, 'pgbackup.home_database' => 'home', 'pgbackup.compression' => 'none');
$poor->safe_psql('postgres', q{CREATE DATABASE home ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0});
$poor->safe_psql('postgres', 'CREATE DATABASE shop');
$poor->safe_psql('home', 'CREATE EXTENSION pgbackup');
$poor->safe_psql('shop', encode('UTF-8', q{CREATE TABLE "äжц" AS SELECT i, repeat(md5(i::text), 30) AS filler FROM generate_series(1, 3000) i}));
$slow = slow_programs($poor, 200_000);
$poor->safe_psql('postgres', "ALTER SYSTEM SET pgbackup.bin_directory = '$slow'; SELECT pg_reload_conf()");
my $log_start = -s $poor->logfile;
$id = $poor->safe_psql('home', q{SELECT pgbackup.create('shop')});
wait_for_file("$slow/reached");
$poor->poll_query_until('home', 'SELECT cardinality(current_tables) = 1 FROM pgbackup.progress') or die;
is($poor->safe_psql('home', 'SELECT current_tables[1] FROM pgbackup.progress'), encode('ISO-8859-1', 'public."ä??"'),
	'a character that the catalog does not have is a question mark');
append_to_file("$slow/go", '');
is($poor->safe_psql('home', "SELECT pgbackup.wait($id)"), 'completed', 'and the backup completes');
unlike(slurp_file($poor->logfile, $log_start), qr/ERROR|something unknown/, 'with nothing in the log');
$poor->stop;
done_testing();
