# Thirty times a replacing restore is hit somewhere: the agent, the launcher or the server is killed, or
# the connections to the server or the storage break. The target is always entirely the old or entirely the
# new database, what the catalog says is what is there, and nothing is left behind.
#
# PGBACKUP_TEST_SEED=N hits the same points again, as far as two runs take the same time.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use Forwarder;
use IPC::Run qw(start finish);
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RestoreKilled;
use Test::More;
use Time::HiRes qw(sleep time);

my $rounds = 30;
my $seed = $ENV{PGBACKUP_TEST_SEED} // int(rand(1_000_000));
srand $seed;
diag("seed: $seed");

# The agents reach the server over a forwarder, so that what is between them can break.
my $forwarded = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_cluster('restore_killed', restart_after_crash => 'on', listen_addresses => '127.0.0.1',
	'pgbackup.dump_conninfo' => "host=127.0.0.1 port=$forwarded");
my $forwarder = open_forwarder($forwarded, $node->port);
my $store = $node->basedir . '/store';
my $psql = $node->config_data('--bindir') . '/psql';

$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
$node->safe_psql('shop', q{
	GRANT USAGE ON SCHEMA stock TO shop_owner;
	CREATE TABLE stock.moves (id int PRIMARY KEY, item int REFERENCES stock.items, moved timestamptz, note text);
	INSERT INTO stock.moves SELECT i, 1 + i % 300, timestamptz '2025-01-01 UTC' + i * interval '1 minute', repeat(md5(i::text), 3)
	  FROM generate_series(1, 40000) i;
	CREATE INDEX ON stock.moves (note);
	CREATE INDEX ON stock.moves (moved, item);
	CREATE TABLE marks (mark int PRIMARY KEY)});

sub value { return $node->safe_psql('postgres', $_[0]) }

# A client that is always there: the swap has to end its session, and it comes back.
my $stop = $node->basedir . '/stop';
my $script = $node->basedir . '/client';
PostgreSQL::Test::Utils::append_to_file($script, <<"SCRIPT");
#!/bin/bash
until [ -e "$stop" ] || ! kill -0 \$PPID 2>/dev/null; do
	"$psql" -XqAt -d shop -c 'SELECT pg_sleep(600)' >/dev/null 2>&1
	read -r -t 0.1 <> <(:)
done
SCRIPT
chmod 0755, $script;
my $client;
{
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	$client = start([$script]);
}

my $new = fingerprint($node, 'shop');
my @backups;
foreach my $format ('custom', 'parallel')
{
	my $id = start_backup($node, "'shop', format => '$format'");
	is(finished($node, $id), 'completed', "a $format backup");
	push @backups, $id;
}

sub change_target
{
	$node->safe_psql('shop', 'INSERT INTO marks SELECT coalesce(max(mark), 0) + 1 FROM marks');
	my $old = fingerprint($node, 'shop');
	die 'old and new are alike' if $old eq $new;
	return $old;
}

# Undisturbed, to know how long it takes, and from where on it swaps.
my ($duration, $last_part);
change_target();
{
	my $begin = time;
	my $id = start_restore($node, "$backups[1], 'shop', replace => true");
	await_analyze($node, $id, 'shop');
	my $analyzing = time;
	is(finished($node, $id), 'completed', 'an undisturbed restore');
	$duration = time - $begin;
	$last_part = time - $analyzing;
	is(fingerprint($node, 'shop'), $new, 'brings the database as it was backed up');
	is(drop_kept($node, value("SELECT kept_database FROM pgbackup.restores WHERE id = $id")), 1, 'cleanup tells of the replaced database');
	is(databases($node), 'postgres shop', 'and drops it');
}
diag(sprintf 'measured: a restore takes %.2f s, its end %.2f s', $duration, $last_part);

my %hit = (
	'agent killed' => sub {
		my ($agent) = @_;
		kill 'KILL', $agent;
	},
	'launcher killed' => sub {
		my (undef, $launcher) = @_;
		kill 'KILL', $launcher;
		$node->poll_query_until('postgres', "SELECT pgbackup.launcher_pid() <> $launcher") or die;
	},
	'server stopped at once' => sub {
		$node->stop('immediate');
		$node->start;
	},
	'server killed' => sub { kill_server($node) },
	'connections cut' => sub {
		my (undef, undef, $id) = @_;
		close_forwarder($forwarder);
		# The agent cannot clean up after itself, nor can the launcher yet.
		$node->poll_query_until('postgres', "SELECT status <> 'in_progress' FROM pgbackup.restores WHERE id = $id") or die;
		$forwarder = open_forwarder($forwarded, $node->port);
	},
	'storage cut' => sub {
		my (undef, undef, undef, $folder) = @_;
		my $intact = "$folder.intact";
		system('cp', '-a', $folder, $intact) == 0 or die;
		truncate "$folder/$_", (-s "$folder/$_") / 3 for grep { $_ ne 'manifest.json' } storage_files($folder);
		return sub {
			system('rm', '-rf', $folder) == 0 or die;
			rename $intact, $folder or die;
		};
	});

my %seen;
foreach my $round (1 .. $rounds)
{
	my $what = (sort keys %hit)[ $round % keys %hit ];
	my $aimed = $what ne 'storage cut' && int($round / keys %hit) % 2;
	my $backup = $backups[ $round % 2 ];
	my $old = change_target();
	my $delay = rand(1.1) * ($aimed ? $last_part : $duration);
	my $title = sprintf 'round %d, %s %.3f s after %s', $round, $what, $delay, $aimed ? 'it began to analyze' : 'it began';

	my $id = start_restore($node, "$backup, 'shop', replace => true");
	my ($agent, $launcher) = await_restoring($node, $id);
	await_analyze($node, $id, 'shop') if $aimed;
	sleep $delay;
	my $mend = $hit{$what}->($agent, $launcher, $id, $store . '/' . value("SELECT file_name FROM pgbackup.backups WHERE id = $backup"));

	wait_until(sub { $node->psql('postgres', 'SELECT 1') == 0 }, 'the server');
	$node->poll_query_until('postgres', "SELECT status NOT IN ('pending', 'in_progress') FROM pgbackup.restores WHERE id = $id") or die;
	$mend->() if ref $mend;
	wait_until(sub { !$agent || !-e "/proc/$agent" }, 'the end of the agent', 15);
	await_removals($node);
	my $row = row_of($node, $id, 'restores');
	my $completed = $row->{status} eq 'completed';
	$seen{ $completed ? 'new' : 'old' }++;
	like($row->{status}, qr/^(completed|failed)$/, "$title: the run has ended, $row->{status}");
	is(fingerprint($node, 'shop'), $completed ? $new : $old, "$title: the target is entirely the one it should be");
	is(databases($node), join(' ', 'postgres', 'shop', $completed ? $row->{kept_database} : ()), "$title: and nothing is left beside it");
	if ($completed)
	{
		my $undone = value("SELECT pgbackup.undo_restore($id)");
		is(finished($node, $undone), 'completed', "$title: it can be undone");
		is(fingerprint($node, 'shop'), $old, "$title: which brings the old database");
	}
	else
	{
		isnt($row->{message}, '', "$title: the row says why");
	}
	if (!$completed && $round % 2)
	{
		my $next = start_restore($node, "$backup, 'shop', replace => true");
		is(finished($node, $next), 'completed', "$title: the next restore works") or diag(explain(row_of($node, $next, 'restores')));
		is(fingerprint($node, 'shop'), $new, "$title: and brings the new database");
	}
	drop_kept($node, '');
	is(databases($node), 'postgres shop', "$title: cleanup removes what was kept");
}
is(value(q{SELECT count(*) FROM pgbackup.restores WHERE status NOT IN ('completed', 'failed')}), 0, 'no run is left open');

# A target that exists and is empty is never missing either.
$node->safe_psql('postgres', 'CREATE DATABASE blank');
foreach my $round (1 .. 4)
{
	my $id = start_restore($node, "$backups[1], 'blank'");
	my ($agent) = await_restoring($node, $id);
	await_analyze($node, $id, 'blank');
	my $delay = rand($last_part);
	sleep $delay;
	kill 'KILL', $agent;
	finished($node, $id);
	await_removals($node);
	my ($status, $kept) = split /\|/, value("SELECT status, kept_database FROM pgbackup.restores WHERE id = $id");
	my $title = sprintf 'an empty target, agent killed %.3f s after it began to analyze', $delay;
	is(value(q{SELECT count(*) FROM pg_database WHERE datname = 'blank'}), 1, "$title: it is there");
	my $is_new = $node->safe_psql('blank', q{SELECT to_regclass('stock.moves') IS NOT NULL}) eq 't';
	is($is_new ? 'completed' : 'failed', $status, "$title: $status");
	is(fingerprint($node, 'blank'), $new, "$title: with everything in it") if $is_new;
	drop_kept($node, '');
	is(databases($node), 'blank postgres shop', "$title: and nothing is left beside it");
	value('DROP DATABASE blank WITH (FORCE)');
	value('CREATE DATABASE blank');
}
value('DROP DATABASE blank');

# A session that creates a database goes on when its agent is gone.
my $holder = $node->background_psql('postgres');
$holder->query_safe(q{BEGIN; COMMENT ON DATABASE template0 IS 'held'});
my $creating = start_restore($node, "$backups[0], 'shop', replace => true");
$node->poll_query_until('postgres',
	"SELECT count(*) = 1 FROM pg_stat_activity WHERE query ~ '^CREATE DATABASE \"shop__restore_$creating' AND wait_event_type = 'Lock'") or die;
kill 'KILL', agent_of($node, $creating);
is(finished($node, $creating), 'failed', 'an agent is killed while its session waits to create a database');
await_removals($node);
$holder->query_safe('ROLLBACK');
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE query ~ '^CREATE DATABASE'}) or die;
is(databases($node), 'postgres shop', 'which it does not do any more');
$holder->quit;

# What nobody has removed is the business of cleanup(): the database of a restore that has ended, and one
# that was kept and whose removal a crash has interrupted (which PostgreSQL marks by this limit).
my $ended = value(q{SELECT max(id) FROM pgbackup.restores WHERE status = 'failed' AND target_database = 'shop'});
value("CREATE DATABASE shop__restore_${ended}_left");
value("UPDATE pgbackup.restores SET staging_database = 'shop__restore_${ended}_left' WHERE id = $ended");
like(value('SELECT * FROM pgbackup.cleanup(dry_run => true)'), qr/shop__restore_${ended}_left\|.*\|would drop/, 'cleanup tells of an unfinished database');
change_target();
my $last = start_restore($node, "$backups[0], 'shop', replace => true");
is(finished($node, $last), 'completed', 'a last restore');
my $last_kept = row_of($node, $last, 'restores')->{kept_database};
value("UPDATE pg_database SET datconnlimit = -2 WHERE datname = '$last_kept'");
drop_kept($node, $last_kept);
is(databases($node), 'postgres shop', 'it drops that, and one that was half dropped');
is(value('SELECT count(*) FROM pgbackup.restores WHERE kept_database IS NOT NULL'), 0, 'and records it');
cmp_ok($seen{old} // 0, '>', 0, "the old database stayed $seen{old} times");
diag(sprintf 'measured: of %d restores that were hit %d had completed', $rounds, $seen{new} // 0);

PostgreSQL::Test::Utils::append_to_file($stop, '');
$node->stop('immediate');
finish($client);
close_forwarder($forwarder);
done_testing();
