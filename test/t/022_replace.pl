# restore(replace => true): the restored database takes the place of the one in use, under load, and
# undo_restore() brings that one back. What cannot be renamed is refused before anything starts.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run qw(start finish);
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_cluster('replace', 'max_prepared_transactions' => 5, 'wal_level' => 'logical', 'max_connections' => 150);
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));

sub databases
{
	return $node->safe_psql('postgres', 'SELECT string_agg(datname, q ORDER BY datname) FROM pg_database, (VALUES (chr(32))) AS v (q) WHERE NOT datistemplate');
}

sub oid_of
{
	my ($name) = @_;
	return $node->safe_psql('postgres', "SELECT oid FROM pg_database WHERE datname = '$name'");
}

# A statement that raises an error.
sub refuses
{
	my ($sql, $pattern, $title) = @_;
	my ($code, undef, $err) = $node->psql('postgres', $sql);
	isnt($code, 0, $title);
	like($err, $pattern, 'and it says why');
	return;
}

sub undo
{
	my ($restore) = @_;
	my $id = $node->safe_psql('postgres', "SELECT pgbackup.undo_restore($restore)");
	return ($id, finished($node, $id));
}

my $backup = start_backup($node, q{'shop'});
is(finished($node, $backup), 'completed', 'a backup');
my $before = database_as_text($node, 'shop');
my $old_oid = oid_of('shop');

# What stands in the way is told, all of it, and the target stays.
$node->safe_psql('shop', q{SELECT pg_create_logical_replication_slot('a_slot', 'pgoutput')});
$node->safe_psql('shop', q{CREATE TABLE later (i int); BEGIN; INSERT INTO later VALUES (1); PREPARE TRANSACTION 'open one'});
$node->safe_psql('shop', q{CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)});
my $refused = start_restore($node, "$backup, 'shop', replace => true");
is(finished($node, $refused), 'failed', 'a database with prepared transactions, slots and subscriptions is not replaced');
my $row = $node->safe_psql('postgres', "SELECT message, detail, hint FROM pgbackup.restores WHERE id = $refused");
like($row, qr/database "shop" cannot be replaced/, 'the message says so');
like($row, qr/prepared transactions: 'open one'.*subscriptions that are enabled or have a slot: s\..*slots: a_slot/s, 'the detail names all of them');
like($row, qr/In database shop: ALTER SUBSCRIPTION s DISABLE; ALTER SUBSCRIPTION s SET \(slot_name = NONE\);/, 'the hint says what to do with the subscription');
$node->safe_psql('shop', q{ROLLBACK PREPARED 'open one'});
$node->safe_psql('shop', q{SELECT pg_drop_replication_slot('a_slot')});
# A subscription like this is no obstacle: it goes with the database, also when that is undone or dropped.
$node->safe_psql('shop', q{ALTER SUBSCRIPTION s DISABLE; ALTER SUBSCRIPTION s SET (slot_name = NONE)});
$node->safe_psql('postgres', 'ALTER DATABASE shop ALLOW_CONNECTIONS false');
$refused = start_restore($node, "$backup, 'shop', replace => true");
is(finished($node, $refused), 'failed', 'nor is one that allows no connections');
like($node->safe_psql('postgres', "SELECT detail, hint FROM pgbackup.restores WHERE id = $refused"),
	qr/does not allow connections.*ALTER DATABASE shop ALLOW_CONNECTIONS true/s, 'which is said, with what to do');
$node->safe_psql('postgres', 'ALTER DATABASE shop ALLOW_CONNECTIONS true');
refuses("SELECT pgbackup.restore($backup, 'shop', replace => true, tables => '{stock.items}')",
	qr/a part of a backup cannot replace a whole database/, 'a part does not replace the whole');
refuses("SELECT pgbackup.restore($backup, 'template1', replace => true)", qr/cannot restore into database "template1"/,
	'template1 is not replaced');
$refused = start_restore($node, "$backup, 'shop'");
is(finished($node, $refused), 'failed', 'without replace a database with something in it is refused');
is(oid_of('shop'), $old_oid, 'after all of that the database is the same');
is(databases(), 'postgres shop', 'and alone');

# In place.
my $changed = database_as_text($node, 'shop');
my $restore = start_restore($node, "$backup, 'shop', replace => true");
is(finished($node, $restore), 'completed', 'a replacing restore');
ok(database_as_text($node, 'shop') eq $before, 'the database is as it was backed up');
my $kept = $node->safe_psql('postgres', "SELECT kept_database FROM pgbackup.restores WHERE id = $restore");
like($kept, qr/^shop__before_restore_${restore}_[0-9a-f]{8}$/, 'the replaced one is kept under a name that says what it is');
is(oid_of($kept), $old_oid, 'it is the same database');
ok(database_as_text($node, $kept) eq $changed, 'with everything in it');

my ($undone, $status) = undo($restore);
is($status, 'completed', 'undo_restore');
is(oid_of('shop'), $old_oid, 'the old database is back');
ok(database_as_text($node, 'shop') eq $changed, 'with everything in it');
my $kept_by_undo = row_of($node, $undone, 'restores')->{kept_database};
is(databases(), "postgres shop $kept_by_undo", 'the restored one is kept');
refuses("SELECT pgbackup.undo_restore($restore)", qr/cannot be undone/, 'an undone restore cannot be undone again');
(undef, $status) = undo($undone);
is($status, 'completed', 'but the undo can');
ok(database_as_text($node, 'shop') eq $before, 'which brings the restored database');
refuses('SELECT pgbackup.undo_restore(999)', qr/there is no restore 999/, 'undo of what is not there');
refuses("SELECT pgbackup.undo_restore($refused)", qr/cannot be undone/, 'undo of what has failed');
my $undoable = $node->safe_psql('postgres', 'SELECT id FROM pgbackup.restores WHERE kept_database IS NOT NULL');
my $by_name = $node->safe_psql('postgres', "SELECT kept_database FROM pgbackup.restores WHERE id = $undoable");
$node->safe_psql('postgres', "ALTER DATABASE $by_name RENAME TO elsewhere");
refuses("SELECT pgbackup.undo_restore($undoable)", qr/has been dropped or renamed/, 'undo when the kept database is not there');
$node->safe_psql('postgres', "ALTER DATABASE elsewhere RENAME TO $by_name");

# What is kept is not backed up by the schedule, and goes when it is old enough.
my $last = $node->safe_psql('postgres', 'SELECT kept_database FROM pgbackup.restores WHERE kept_database IS NOT NULL');
is($node->safe_psql('postgres', "SELECT pgbackup._is_beside(oid) FROM pg_database WHERE datname = '$last'"), 't',
	'the schedule passes over what is kept');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.cleanup() WHERE action ~ $$drop$$'), 0, 'cleanup leaves it alone for a week');
$node->safe_psql('postgres', q{UPDATE pgbackup.restores SET finished_at = finished_at - interval '8 days' WHERE kept_database IS NOT NULL});
like($node->safe_psql('postgres', 'SELECT * FROM pgbackup.cleanup(dry_run => true)'), qr/\Q$last\E.*longer ago than 7 days\|would drop/,
	'then it tells');
is(oid_of($last) ne '', 1, 'a dry run drops nothing');
like($node->safe_psql('postgres', 'SELECT * FROM pgbackup.cleanup()'), qr/\Q$last\E.*is being dropped/, 'and drops');
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
is(databases(), 'postgres shop', 'it is gone');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.restores WHERE kept_database IS NOT NULL'), 0, 'and nothing is kept');

# Under load: fifty clients that connect for every transaction. What was acknowledged before the swap
# is in the kept database, what after it in the new one; nothing is lost, nothing is in both.
$node->safe_psql('shop', 'CREATE TABLE acknowledged (client int, n bigint, PRIMARY KEY (client, n))');
$backup = start_backup($node, q{'shop'});
is(finished($node, $backup), 'completed', 'a backup with the table of the clients');
my $load = $node->basedir . '/load';
mkdir $load or die;
PostgreSQL::Test::Utils::append_to_file("$load/client", <<'SCRIPT');
#!/bin/bash
# client PSQL FOLDER NUMBER: inserts rows, each in a connection of its own; writes down which were
# acknowledged and when it was refused.
n=0
until [ -e "$2/stop" ]; do
	n=$((n + 1))
	if "$1" -XqAt -v ON_ERROR_STOP=1 -d shop -c "INSERT INTO acknowledged VALUES ($3, $n)" >"$2/out.$3" 2>&1; then
		echo "$n" >>"$2/acknowledged.$3"
	else
		echo "$EPOCHREALTIME $(tr '\n' ' ' <"$2/out.$3")" >>"$2/refused.$3"
	fi
done
SCRIPT
chmod 0755, "$load/client";
local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
my $psql = $node->config_data('--bindir') . '/psql';
my $clients = 50;
my @clients = map { start([ "$load/client", $psql, $load, $_ ]) } 1 .. $clients;
$node->poll_query_until('shop', "SELECT count(DISTINCT client) = $clients FROM acknowledged") or die;
$restore = start_restore($node, "$backup, 'shop', replace => true");
is(finished($node, $restore), 'completed', "a replacing restore under the load of $clients clients");
$node->poll_query_until('shop', "SELECT count(DISTINCT client) = $clients FROM acknowledged") or die;
pass('all clients work after it');
PostgreSQL::Test::Utils::append_to_file("$load/stop", '');
finish($_) foreach @clients;
$kept = $node->safe_psql('postgres', "SELECT kept_database FROM pgbackup.restores WHERE id = $restore");
my %rows;
foreach my $database ('shop', $kept)
{
	$rows{$_}++ foreach split /\n/, $node->safe_psql($database, q{SELECT client || ' ' || n FROM acknowledged});
}
my ($lost, $acknowledged) = (0, 0);
my @times;
foreach my $client (1 .. $clients)
{
	foreach my $n (split /\n/, read_file("$load/acknowledged.$client"))
	{
		$acknowledged++;
		$lost++ unless exists $rows{"$client $n"};
	}
	push @times, map { /^([\d.]+)/ } split /\n/, read_file("$load/refused.$client") if -e "$load/refused.$client";
}
cmp_ok($acknowledged, '>', $clients, "$acknowledged transactions were acknowledged");
is($lost, 0, 'every one of them is in one of the two databases');
is((grep { $_ > 1 } values %rows), 0, 'and in one only');
@times = sort { $a <=> $b } @times;
my $refusal = @times ? $times[-1] - $times[0] : 0;
diag(sprintf 'measured: the swap refused %d connections of %d clients, the first and the last %.3f s apart', scalar @times, $clients, $refusal);
cmp_ok($refusal, '<', 2, 'clients are refused for a moment only');

# The home database itself: the catalog comes along, the launcher finds it again.
$node->safe_psql('postgres', 'CREATE TABLE mine (i int); INSERT INTO mine VALUES (1)');
my $home = start_backup($node, q{'postgres'});
is(finished($node, $home), 'completed', 'a backup of the home database');
$node->safe_psql('postgres', 'INSERT INTO mine VALUES (2)');
# A history of some years, with manifests of several kilobytes.
$node->safe_psql('postgres', q{
	INSERT INTO pgbackup.backups (database, storage, format, status, manifest)
	SELECT 'long ago', 'file:///nowhere', 'custom', 'expired', (SELECT jsonb_agg(md5((i * j)::text)) FROM generate_series(1, 150) j)
	  FROM generate_series(1, 20000) i});
my $rows_before = $node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.backups');
my $launcher = launcher_pid($node);
$restore = start_restore($node, "$home, 'postgres', replace => true");
$node->poll_query_until('postgres', "SELECT status = 'completed' FROM pgbackup.restores WHERE id = $restore") or die;
is($node->safe_psql('postgres', 'SELECT sum(i) FROM mine'), 1, 'the home database is the restored one');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.backups'), $rows_before, 'the catalog has all backups');
$node->poll_query_until('postgres', "SELECT pgbackup.launcher_pid() <> $launcher") or die;
$backup = start_backup($node, q{'shop'});
is(finished($node, $backup), 'completed', 'the launcher works on in it');
cmp_ok($backup, '>', $restore, 'and counts on');
$launcher = launcher_pid($node);
$undone = $node->safe_psql('postgres', "SELECT pgbackup.undo_restore($restore)");
$node->poll_query_until('postgres', "SELECT status = 'completed' FROM pgbackup.restores WHERE id = $undone") or die;
is($node->safe_psql('postgres', 'SELECT sum(i) FROM mine'), 3, 'undo brings the old home database');
is($node->safe_psql('postgres', "SELECT status FROM pgbackup.backups WHERE id = $backup"), 'completed',
	'with what was recorded in the meantime');
is($node->safe_psql('postgres', "SELECT count(*) FROM pgbackup.restores WHERE status NOT IN ('completed', 'failed')"), 0,
	'no run is left open');

$node->stop;
done_testing();
