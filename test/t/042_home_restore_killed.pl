# A dozen times a restore in place of the home database is hit somewhere, half of the times near the swap: the
# agent, the launcher or the server is killed, or the agent's sessions are ended. The database is always
# entirely the old or entirely the new one, the catalog in it has everything and says what is there, nothing
# is left behind, and backups go on.
#
# PGBACKUP_TEST_SEED=N hits the same points again, as far as two runs take the same time.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RestoreKilled;
use Test::More;
use Time::HiRes qw(sleep time);

my $rounds = 12;
my $seed = $ENV{PGBACKUP_TEST_SEED} // int(rand(1_000_000));
srand $seed;
diag("seed: $seed");

my $node = new_cluster('home_restore_killed', restart_after_crash => 'on');
$node->safe_psql('postgres', read_file(fixture('fixtures/small.sql')));
$node->safe_psql('postgres', q{
	GRANT USAGE ON SCHEMA stock TO shop_owner;
	CREATE TABLE stock.moves (id int PRIMARY KEY, item int REFERENCES stock.items, note text);
	INSERT INTO stock.moves SELECT i, 1 + i % 300, md5(i::text) FROM generate_series(1, 20000) i;
	CREATE TABLE marks (mark int PRIMARY KEY)});

# The sessions of the home database end when it is swapped, so nothing waits in one.
sub value { return $node->safe_psql('postgres', $_[0]) }

sub await_end
{
	my ($id) = @_;
	$node->poll_query_until('postgres', "SELECT status NOT IN ('pending', 'in_progress') FROM pgbackup.restores WHERE id = $id") or die;
	return row_of($node, $id, 'restores');
}

sub start_replacing
{
	my ($backup) = @_;
	return start_restore($node, "$backup, 'postgres', replace => true");
}

sub change_home
{
	value('INSERT INTO marks SELECT coalesce(max(mark), 0) + 1 FROM marks');
	return fingerprint($node, 'postgres');
}

# The runs that have ended, with what is recorded of them.
sub catalog
{
	my ($before) = @_;
	return value(qq{
		SELECT string_agg(line, chr(10) ORDER BY line) FROM (
		  SELECT format('backup %s %s %s %s', id, status, md5(manifest::text), pinned) FROM pgbackup.backups WHERE id < $before
		  UNION ALL SELECT format('restore %s %s %s', id, mode, status) FROM pgbackup.restores WHERE id < $before) AS l (line)});
}

my $new = fingerprint($node, 'postgres');
my @backups;
foreach my $format ('custom', 'parallel')
{
	my $id = start_backup($node, "'postgres', format => '$format'");
	is(finished($node, $id), 'completed', "a $format backup");
	push @backups, $id;
}

# Undisturbed, to know how long it takes, and from where on it swaps.
my ($duration, $last_part);
{
	change_home();
	my $begin = time;
	my $id = start_replacing($backups[1]);
	await_analyze($node, $id, 'postgres');
	my $analyzing = time;
	is(await_end($id)->{status}, 'completed', 'an undisturbed restore');
	$duration = time - $begin;
	$last_part = time - $analyzing;
	is(fingerprint($node, 'postgres'), $new, 'brings the home database as it was backed up');
	drop_kept($node, '');
}
diag(sprintf 'measured: a restore of the home database takes %.2f s, its end %.2f s', $duration, $last_part);

# Somebody who wants all sessions of these databases to end, a hundred times in a row or once.
sub end_sessions
{
	my ($times) = @_;
	$node->safe_psql('template1', qq{DO \$\$ BEGIN
		FOR i IN 1 .. $times LOOP
		  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgbackup' AND datname ^@ 'postgres';
		  PERFORM pg_sleep(0.001);
		  PERFORM pg_stat_clear_snapshot();
		END LOOP; END \$\$});
	return;
}

my %hit = (
	'agent killed' => sub { kill 'KILL', $_[0] },
	'launcher killed' => sub { kill 'KILL', $_[1] },
	'server killed' => sub { kill_server($node) },
	'sessions ended' => sub { end_sessions((1, 100)[ int rand 2 ]) });

my %seen;
foreach my $round (0 .. $rounds - 1)
{
	my $what = (sort keys %hit)[ $round % keys %hit ];
	my $aimed = ($round + int($round / keys %hit)) % 2;
	my $backup = $backups[ int rand 2 ];
	my $old = change_home();
	my $delay = rand(1.1) * ($aimed ? $last_part : $duration);
	my $title = sprintf 'round %d, %s %.3f s after %s', $round, $what, $delay, $aimed ? 'it began to analyze' : 'it began';

	my $id = start_replacing($backup);
	my ($agent, $launcher) = await_restoring($node, $id);
	# What is recorded during a restore is not lost either.
	value("SELECT pgbackup.pin($backups[0], NOT pinned) FROM pgbackup.get($backups[0])");
	my $catalog = catalog($id);
	await_analyze($node, $id, 'postgres') if $aimed;
	sleep $delay;
	$hit{$what}->($agent, $launcher);

	wait_until(sub { $node->psql('postgres', 'SELECT 1') == 0 }, 'the server');
	my $row = await_end($id);
	wait_until(sub { !-e "/proc/$agent" }, 'the end of the agent', 15);
	my $completed = $row->{status} eq 'completed';
	$seen{ $completed ? 'new' : 'old' }++;
	like($row->{status}, qr/^(completed|failed)$/, "$title: the run has ended, $row->{status}");
	isnt($row->{message}, '', "$title: the row says why") unless $completed;
	is(fingerprint($node, 'postgres'), $completed ? $new : $old, "$title: the home database is entirely the one it should be");
	is(catalog($id), $catalog, "$title: the catalog has everything");
	await_removals($node);
	is(databases($node), join(' ', 'postgres', $completed ? row_of($node, $id, 'restores')->{kept_database} : ()), "$title: and nothing is left beside it");
	if ($completed)
	{
		is(await_end(value("SELECT pgbackup.undo_restore($id)"))->{status}, 'completed', "$title: it can be undone");
		is(fingerprint($node, 'postgres'), $old, "$title: which brings the old database");
		is(catalog($id), $catalog, "$title: with everything in the catalog");
		$node->restart;  # its launcher would come by itself, but five seconds later
	}
	my $next = start_backup($node, q{'postgres'});
	cmp_ok($next, '>', $id, "$title: runs count on");
	is(finished($node, $next), 'completed', "$title: backups go on") or diag(explain(row_of($node, $next)));
	drop_kept($node, '');
	is(databases($node), 'postgres', "$title: cleanup removes what was kept");
}

# Somebody ends every session of the home database just before it is renamed: then nobody is left who could
# bring the catalog along.
my $old = change_home();
my $holder = $node->background_psql('template1');
$holder->query_safe(q{BEGIN; COMMENT ON DATABASE postgres IS 'held'});
my $id = start_replacing($backups[0]);
$node->poll_query_until('template1',
	q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query ~ '^ALTER DATABASE "postgres" RENAME' AND wait_event_type = 'Lock'}) or die;
$node->safe_psql('template1', q{SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname ^@ 'postgres'});
$holder->query_safe('ROLLBACK');
$holder->quit;
wait_until(sub { $node->psql('postgres', 'SELECT 1') == 0 }, 'the server');
is(await_end($id)->{status}, 'failed', 'without the sessions that copy the catalog nothing is swapped');
is(fingerprint($node, 'postgres'), $old, 'the home database is the old one');
await_removals($node);
is(databases($node), 'postgres', 'alone');
is(value(q{SELECT count(*) FROM pgbackup.restores WHERE status NOT IN ('completed', 'failed')}), 0, 'no run is left open');
diag(sprintf 'measured: of %d restores that were hit %d had completed', $rounds, $seen{new} // 0);

$node->stop;
done_testing();
