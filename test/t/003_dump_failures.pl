# A dump that fails in any way fails the run, says why, leaves nothing, and the next run works.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('failures', 'pgbackup.lock_wait_timeout' => '300ms', 'pgbackup.retry_count' => '0');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
my $slow = slow_programs($node);
my $bin = $node->config_data('--bindir');

# The next backup works, whatever happened before.
sub next_one_works
{
	my ($title) = @_;
	restart_settings($node, 'pgbackup.bin_directory' => '');
	my $id = start_backup($node, q{'shop', format => 'parallel'});
	is(finished($node, $id), 'completed', "$title: the next run succeeds")
	  or diag(explain(row_of($node, $id)));
	return;
}

# Starts a backup with the slow pg_dump and returns its id and the pid of the program that waits.
sub caught_in_the_middle
{
	my ($format) = @_;
	unlink "$slow/reached", "$slow/go";
	restart_settings($node, 'pgbackup.bin_directory' => $slow);
	my $id = start_backup($node, "'shop', format => '$format'");
	wait_for_file("$slow/reached");
	my $pid = read_file("$slow/reached");
	chomp $pid;
	return ($id, $pid);
}

sub is_failed_clean
{
	my ($id, $pattern, $title, @before) = @_;
	is(finished($node, $id), 'failed', "$title: the run is failed");
	my $row = row_of($node, $id);
	like("$row->{message} $row->{detail}", $pattern, "$title: the row says why");
	isnt($row->{hint}, '', "$title: and what to do");
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
	is_deeply([ storage_files($store) ], \@before, "$title: nothing is left in storage");
	return;
}

for my $format ('custom', 'parallel')
{
	my @before = storage_files($store);

	my ($id) = caught_in_the_middle($format);
	my $agent = agent_of($node, $id);
	is_deeply([ grep { !m{/slow/pg_dump$} } files_open_outside($agent, $store) ], [],
		"$format: in the middle of a dump no file but the backup's is open");
	kill 'KILL', dumping_pid($node);
	PostgreSQL::Test::Utils::append_to_file("$slow/go", '');
	is_failed_clean($id, qr/pg_dump/, "$format: pg_dump killed with -9", @before);
	next_one_works("$format: pg_dump killed");

	@before = storage_files($store);
	($id) = caught_in_the_middle($format);
	$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop' AND query LIKE 'COPY %'});
	PostgreSQL::Test::Utils::append_to_file("$slow/go", '');
	is_failed_clean($id, qr/terminat|connection|pg_dump/i, "$format: the backend of pg_dump terminated", @before);
	next_one_works("$format: backend terminated");

	@before = storage_files($store);
	($id) = caught_in_the_middle($format);
	$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop' AND state = 'idle in transaction'});
	is_failed_clean($id, qr/connection|terminat/i, "$format: the coordinator's backend terminated", @before);
	next_one_works("$format: coordinator terminated");
}

# A table that somebody holds locked, and one that is dropped while the dump waits for it.
my @before = storage_files($store);
my $holder = $node->background_psql('shop');
$holder->query_safe('BEGIN; DROP TABLE sales.orders_2025 CASCADE;');
my $id = start_backup($node, q{'shop'});
is_failed_clean($id, qr/lock/, 'a table that is being dropped', @before);
like(row_of($node, $id)->{hint}, qr/lock_wait_timeout/, 'the hint names the setting');
$holder->query_safe('ROLLBACK');
$holder->quit;
next_one_works('locked table');

@before = storage_files($store);
$holder = $node->background_psql('shop');
restart_settings($node, 'pgbackup.lock_wait_timeout' => '60000');
$holder->query_safe('BEGIN; CREATE TABLE sales.gone (a int); COMMIT; BEGIN; DROP TABLE sales.gone;');
$id = start_backup($node, q{'shop'});
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE NOT granted}) or die;
$holder->query_safe('COMMIT');
$holder->quit;
is(finished($node, $id), 'completed', 'a table dropped while the backup waits for its lock: the rest is backed up')
  or diag(explain(row_of($node, $id)));
next_one_works('dropped table');

# Programs that are not there, or too old.
my $empty = $node->basedir . '/empty';
mkdir $empty;
restart_settings($node, 'pgbackup.bin_directory' => $empty);
fails_with($node, q{'shop'}, qr/\Q$empty\E\/pg_dump/, 'no pg_dump', $store);
my $old = $node->basedir . '/old';
mkdir $old;
symlink "$bin/$_", "$old/$_" for qw(pg_dumpall pg_restore psql);
PostgreSQL::Test::Utils::append_to_file("$old/pg_dump", "#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n");
chmod 0755, "$old/pg_dump";
restart_settings($node, 'pgbackup.bin_directory' => $old);
fails_with($node, q{'shop'}, qr/older/, 'a pg_dump older than the server', $store);
next_one_works('programs');

# The agent's own connection is refused.
restart_settings($node, 'pgbackup.dump_conninfo' => 'user=nobody_of_that_name');
fails_with($node, q{'shop'}, qr/nobody_of_that_name/, 'a role that does not exist', $store);
restart_settings($node, 'pgbackup.dump_conninfo' => '');

# Storage that cannot be written.
my $locked = $node->basedir . '/locked';
mkdir $locked, oct(500);
fails_with($node, "'shop', storage => 'file://$locked/deeper'", qr/ermission/, 'a folder without permission');
SKIP:
{
	my $small = $ENV{PGBACKUP_TEST_SMALL_DISK};
	skip 'no small file system: PGBACKUP_TEST_SMALL_DISK is not set', 6 unless $small;
	$node->safe_psql('shop', q{CREATE TABLE public.big AS SELECT i, md5(i::text) || md5((i * 7)::text) AS t FROM generate_series(1, 200000) i});
	for my $format ('custom', 'parallel')
	{
		fails_with($node, "'shop', format => '$format', storage => 'file://$small/store'",
			qr/o space left|full/i, "$format: a full disk", "$small/store");
	}
	$node->safe_psql('shop', 'DROP TABLE public.big');
	my $fits = start_backup($node, "'shop', storage => 'file://$small/store'");
	is(finished($node, $fits), 'completed', 'a full disk: the next run succeeds when there is room');
}

# Cancelling, before and during the run.
@before = storage_files($store);
($id) = caught_in_the_middle('parallel');
my $waiting = start_backup($node, q{'shop'});
is(row_of($node, $waiting)->{status}, 'pending', 'a second run waits for its turn');
is($node->safe_psql('postgres', "SELECT pgbackup.cancel($waiting)"), 't', 'a pending run can be cancelled');
is(finished($node, $waiting), 'cancelled', 'and is');
is($node->safe_psql('postgres', "SELECT pgbackup.cancel($id)"), 't', 'a running one too');
is(finished($node, $id), 'cancelled', 'and is');
like(row_of($node, $id)->{message}, qr/^cancelled by /, 'the row says by whom');
is_deeply([ storage_files($store) ], \@before, 'nothing is left in storage');
is($node->safe_psql('postgres', "SELECT pgbackup.cancel($id)"), 'f', 'cancelling it again does nothing');
is(scalar processes_of("$slow/pg_dump"), 0, 'no pg_dump is left');

# A run that takes too long; the time is enough to come into the middle of a dump.
restart_settings($node, 'pgbackup.timeout' => '5');
($id) = caught_in_the_middle('parallel');
is_failed_clean($id, qr/pgbackup\.timeout/, 'a run that takes too long', @before);
restart_settings($node, 'pgbackup.timeout' => '0');
next_one_works('timeout');

$node->stop;
done_testing();
