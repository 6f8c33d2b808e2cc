# A backup makes nobody wait for long: it gives way to a statement that needs a table for itself, and
# is tried again later.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('guard', 'pgbackup.lock_guard_timeout' => '4s', 'pgbackup.retry_delay' => '1s');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
$node->safe_psql('shop', 'CREATE TABLE bystander (a int)');
my $slow = slow_programs($node);
my $bin = $node->config_data('--bindir');

# Runs a statement in a session of its own, without waiting for it.
sub in_background
{
	my ($sql) = @_;
	my %session = (out => '', err => '');
	$session{run} = IPC::Run::start(
		[ $node->installed_command('psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('shop') . ' application_name=migration',
			'-c', $sql ],
		'<', \undef, '>', \$session{out}, '2>', \$session{err}, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%session;
}

# Whether it ended well.
sub succeeds
{
	my ($session, $title) = @_;
	ok(IPC::Run::finish($session->{run}), $title) or diag($session->{err});
	return;
}

# Waits until so many of these sessions wait for a lock, or the backup is over: one that has given way already,
# because the machine was busy, has been tested all the same. The backup's own sessions may wait too.
sub await_waiting
{
	my ($count, $id) = @_;
	$node->poll_query_until('postgres', qq{SELECT count(*) >= $count OR (SELECT status <> 'in_progress' FROM pgbackup.backups WHERE id = $id)
		FROM pg_stat_activity WHERE application_name = 'migration' AND wait_event_type = 'Lock'}) or die;
	return;
}

# Waits until somebody has waited for so many seconds.
sub await_patience
{
	my ($seconds) = @_;
	$node->poll_query_until('postgres',
		"SELECT coalesce(max(clock_timestamp() - waitstart) > interval '$seconds s', false) FROM pg_locks WHERE NOT granted")
	  or die;
	return;
}

sub caught_in_the_middle
{
	my ($arguments) = @_;
	unlink "$slow/reached", "$slow/go";
	restart_settings($node, 'pgbackup.bin_directory' => $slow);
	my $id = start_backup($node, $arguments);
	wait_for_file("$slow/reached");
	return $id;
}

sub let_go
{
	PostgreSQL::Test::Utils::append_to_file("$slow/go", '');
	return;
}

# The run that tries another one again.
sub retry_of
{
	my ($id) = @_;
	return $node->safe_psql('postgres', "SELECT max(id) FROM pgbackup.backups WHERE retry_of = $id");
}

for my $format ('custom', 'parallel')
{
	my @before = storage_files($store);
	my $id = caught_in_the_middle("'shop', format => '$format', label => 'kept', exclude_table_data => '{public.bystander}'");
	my $change = in_background("/* 'secret' */ ALTER TABLE stock.items ADD COLUMN ${format} text DEFAULT 'secret'");
	await_waiting(1, $id);
	my $reader = in_background('SELECT count(*) FROM stock.items');
	await_waiting(2, $id);
	succeeds($change, "$format: the statement that waits gets its table");
	succeeds($reader, "$format: so does the reader behind it");
	is(finished($node, $id), 'failed', "$format: the run is failed");
	my $row = row_of($node, $id);
	my $retry = retry_of($id);
	like($row->{message},
		qr/^gave way to process \d+, which waited (?:[4-9]|\d{2,})\.\d s for a lock on table "stock"\."items"; backup $retry tries again at 2/,
		"$format: it says to whom it gave way, and what comes next");
	like($row->{detail}, qr/^It runs ALTER TABLE as role "\w+" in "migration", and /, "$format: in detail");
	unlike(join(' ', %$row), qr/secret/, "$format: without the statement's own words");
	like($row->{hint}, qr/pgbackup\.lock_guard_timeout.*pgbackup\.cancel\($retry\)/, "$format: and what to do");
	is($row->{sqlstate}, '55P03', "$format: with a SQLSTATE");
	let_go();
	is(finished($node, $retry), 'completed', "$format: the run that tries again succeeds") or diag(explain(row_of($node, $retry)));
	is($node->safe_psql('postgres', qq{SELECT r.attempt, r.label, r.format, r.options = f.options, r.created_by = f.created_by,
		r.not_before BETWEEN f.finished_at + interval '0.9 s' AND f.finished_at + interval '2 s', r.started_at >= r.not_before
		FROM pgbackup.backups r JOIN pgbackup.backups f ON f.id = r.retry_of WHERE r.id = $retry}),
		"2|kept|$format|t|t|t|t", "$format: with the same options, and not too soon");
	my %known = map { $_ => 1 } @before;
	is_deeply([ grep { !$known{$_} && !/_$retry\// } storage_files($store) ], [], "$format: nothing is left of the one that gave way");
}

# Everything else goes on beside a backup.
my $id = caught_in_the_middle("'shop', tables => '{sales.orders_2025,sales.orders}'");
$node->safe_psql('shop', 'SELECT count(*) FROM sales.orders_2025; DELETE FROM sales.orders_2025 WHERE false');
$node->safe_psql('shop', 'ALTER TABLE bystander ADD COLUMN b int');
my $index = in_background('CREATE INDEX CONCURRENTLY ON bystander (b)');
await_patience(5.5);
is(row_of($node, $id)->{status}, 'in_progress', 'readers, writers, changes of other tables and CREATE INDEX CONCURRENTLY are not given way to');
let_go();
is(finished($node, $id), 'completed', 'and the run completes');
succeeds($index, 'as does what waited for it');

# Switched off. Of a table without generated columns: those are read once more, and who came between these two
# sessions is given way to whatever the setting says.
restart_settings($node, 'pgbackup.lock_guard_timeout' => '0');
$id = caught_in_the_middle(q{'shop'});
my $change = in_background('ALTER TABLE bystander ADD COLUMN x1 int');
await_patience(5.5);
is(row_of($node, $id)->{status}, 'in_progress', 'with 0 nobody is given way to');
let_go();
is(finished($node, $id), 'completed', 'and the run completes');
succeeds($change, 'before who waited');

# A change that comes between the locks of the backup's own sessions: it waits for the first, and the
# second behind it.
my $late = $node->basedir . '/late';
mkdir $late;
symlink "$bin/$_", "$late/$_" for qw(pg_dumpall pg_restore psql);
PostgreSQL::Test::Utils::append_to_file("$late/pg_dump", <<"SCRIPT");
#!/bin/bash
case "\$*" in *--version*) exec "$bin/pg_dump" "\$@" ;; esac
touch "$late/reached"
until [ -e "$late/go" ]; do read -r -t 0.05 <> <(:); done
exec "$bin/pg_dump" "\$@"
SCRIPT
chmod 0755, "$late/pg_dump";
restart_settings($node, 'pgbackup.bin_directory' => $late, 'pgbackup.lock_wait_timeout' => '700', 'pgbackup.retry_count' => '0');
$id = start_backup($node, q{'shop'});
wait_for_file("$late/reached");
$change = in_background('ALTER TABLE bystander ADD COLUMN x2 int');  # which no other session of the run reads
await_waiting(1, $id);
PostgreSQL::Test::Utils::append_to_file("$late/go", '');
is(finished($node, $id), 'failed', 'a statement between the locks of one backup: the run is failed');
succeeds($change, 'and the statement gets its table');
my $row = row_of($node, $id);
like($row->{message}, qr/^gave way to process \d+, .* on table "public"\."bystander"$/, 'the row says who stood between, and of no retry');
like($row->{detail}, qr/The backup itself stood there: pg_dump of database\.dump\.zst could not lock its tables in time\./, 'and what it did to the backup');
is(retry_of($id), '', 'with pgbackup.retry_count = 0 nothing is tried again');

# A table that somebody else holds: tried as often as the setting says, the last time saying so.
restart_settings($node, 'pgbackup.retry_count' => '2', 'pgbackup.bin_directory' => '', 'pgbackup.lock_wait_timeout' => '100');
my $holder = $node->background_psql('shop');
$holder->query_safe('BEGIN; LOCK TABLE stock.items');
my ($status, undef, $error) = $node->psql('postgres', q{CALL pgbackup.run('shop')});
isnt($status, 0, 'a table that somebody holds: run() fails');
$id = $node->safe_psql('postgres', 'SELECT max(id) FROM pgbackup.backups WHERE retry_of IS NULL');
$node->poll_query_until('postgres', 'SELECT count(*) = 3 FROM pgbackup.backups WHERE id >= ' . $id . q{ AND status = 'failed'}) or die;
my ($second, $third) = split /\n/, $node->safe_psql('postgres', "SELECT id FROM pgbackup.backups WHERE id > $id ORDER BY id");
like($error, qr/could not lock table "stock"\."items" in time; backup $second tries again at/, 'with an error that names the run that tries again');
is($node->safe_psql('postgres', "SELECT string_agg(format('%s %s', retry_of, attempt), ', ' ORDER BY id) FROM pgbackup.backups WHERE id > $id"),
	"$id 2, $second 3", 'which has one of its own');
is($node->safe_psql('postgres', "SELECT c.not_before - b.finished_at > interval '1.9 s' FROM pgbackup.backups b, pgbackup.backups c WHERE b.id = $second AND c.id = $third"),
	't', 'after twice the time');
like(row_of($node, $third)->{message}, qr/; this was attempt 3, the last one$/, 'the last one says so');

# Calling a retry off.
restart_settings($node, 'pgbackup.retry_delay' => '3600');
$id = start_backup($node, q{'shop'});
is(finished($node, $id), 'failed', 'once more');
my $retry = retry_of($id);
$holder->query_safe('ROLLBACK');
$holder->quit;
is($node->safe_psql('postgres', "SELECT pgbackup.wait($retry, '100 ms')"), 'pending', 'a run that waits for its time can be waited for');
my $other = start_backup($node, q{'shop'});
is(finished($node, $other), 'completed', 'others overtake it');
is($node->safe_psql('postgres', "SELECT pgbackup.cancel($retry)"), 't', 'it can be cancelled');
is(finished($node, $retry), 'cancelled', 'and is');

# It survives the server, and is due at its time whoever waits.
$id = $node->safe_psql('postgres', qq{INSERT INTO pgbackup.backups (database, storage, format, options, retry_of, attempt, not_before)
	SELECT database, storage, 'custom', options, id, 2, clock_timestamp() + interval '5 s' FROM pgbackup.backups WHERE id = $id RETURNING id});
$node->restart;
is(finished($node, $id), 'completed', 'a retry is made after a restart');
is(row_of($node, $id)->{attempt}, 2, 'as what it was');

# A retry of a scheduled run makes room for the run of the next slot.
$retry = $node->safe_psql('postgres', q{INSERT INTO pgbackup.backups (database, storage, format, options, backup_type, schedule, slot, retry_of, attempt, not_before)
	SELECT d, current_setting('pgbackup.storage'), 'custom', pgbackup._default_options(), 'scheduled', 'default', now() - interval '1 hour', 1, 2, now() + interval '1 hour'
	FROM unnest('{shop,other}'::text[]) d RETURNING id});
($retry, $other) = split /\n/, $retry;
restart_settings($node, 'pgbackup.databases' => 'shop', 'pgbackup.schedule' => '* * * * *');
is(finished($node, $retry), 'cancelled', 'the next slot cancels what the one before is to try again');
my $next = $node->safe_psql('postgres', q{SELECT min(id) FROM pgbackup.backups WHERE schedule = 'default' AND retry_of IS NULL});
is(row_of($node, $retry)->{message}, "backup $next of the next slot takes its place", 'and says for what');
is(finished($node, $next), 'completed', 'which is done');
is(row_of($node, $other)->{status}, 'pending', 'that of another database stays');

$node->stop;
done_testing();
