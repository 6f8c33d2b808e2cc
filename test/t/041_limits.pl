# Limits: a backup that grows too large is stopped and leaves nothing, and priorities.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('limits', 'pgbackup.max_size' => '1MB', 'pgbackup.nice' => 7, 'pgbackup.compression' => 'none');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE TABLE small AS SELECT 1 AS n;
	CREATE TABLE big AS SELECT md5(n::text) FROM generate_series(1, 300000) AS n');
my $id = start_backup($node, q{'shop', exclude_table_data => '{public.big}'});
is(finished($node, $id), 'completed', 'a backup within the limit completes');
for my $format (qw(custom parallel))
{
	fails_with($node, "'shop', format => '$format'", qr/larger than pgbackup\.max_size \(1024 kB\) and was stopped/,
		"format $format", $store);
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.backups WHERE retry_of IS NOT NULL'), 0, 'nothing is tried again');

# What nobody waits for is nicer than the server, which may be nice itself.
sub nice_of
{
	my ($pid) = @_;
	# Behind the name in brackets: nice is the 17th field.
	my ($rest) = read_file("/proc/$pid/stat") =~ /\) (.*)/s;
	return (split ' ', $rest)[16];
}

my $launcher = launcher_pid($node);
my $of_server = nice_of($launcher);
my $nicer = $of_server + 7 < 19 ? $of_server + 7 : 19;

my $slow = slow_programs($node);
restart_settings($node, 'pgbackup.max_size' => 0, 'pgbackup.bin_directory' => $slow);
$id = start_backup($node, q{'shop', format => 'custom'});
wait_for_file("$slow/reached");
is(nice_of(agent_of($node, $id)), $nicer, 'the agent of a backup is nice');
is(nice_of(dumping_pid($node)), $nicer, 'so is pg_dump');
PostgreSQL::Test::Utils::append_to_file("$slow/go", '');
is(finished($node, $id), 'completed', 'without a limit it completes');

# A pg_restore that says who it is and waits.
my $pg_restore = $node->config_data('--bindir') . '/pg_restore';
unlink "$slow/pg_restore";
PostgreSQL::Test::Utils::append_to_file("$slow/pg_restore", <<"SCRIPT");
#!/bin/bash
case "\$*" in *--version*) exec "$pg_restore" "\$@" ;; esac
echo \$\$ >"$slow/restoring.new"
mv "$slow/restoring.new" "$slow/restoring"
while [ -e "$slow/restoring" ]; do read -r -t 0.05 <> <(:); done
exec "$pg_restore" "\$@"
SCRIPT
chmod 0755, "$slow/pg_restore";
for my $case ([ 'a verification', $nicer, "pgbackup.verify($id, 'archive')" ],
	[ 'a restore, which somebody waits for,', $of_server, "pgbackup.restore($id, 'shop', replace => true)" ])
{
	my ($name, $expected, $call) = @$case;
	my $run = $node->safe_psql('postgres', "SELECT $call");
	wait_for_file("$slow/restoring");
	chomp(my $program = read_file("$slow/restoring"));
	is(nice_of(agent_of($node, $run)), $expected, "the agent of $name has its priority");
	is(nice_of($program), $expected, 'so has pg_restore');
	# It may be started several times.
	wait_until(sub { unlink "$slow/restoring"; $node->safe_psql('postgres', "SELECT status <> 'in_progress' FROM pgbackup.restores WHERE id = $run") eq 't' },
		"the end of $name");
	is(finished($node, $run), 'completed', 'it completes');
}

restart_settings($node, 'pgbackup.bandwidth_limit' => 256);
my $copy = $node->safe_psql('postgres', "SELECT pgbackup.copy($id, 'file://$store-copy')");
is(nice_of(agent_of($node, $copy)), $nicer, 'the agent of a copy is nice');
$node->safe_psql('postgres', "SELECT pgbackup.cancel($copy)");
is(finished($node, $copy), 'failed', 'it is cancelled');

# What was replaced is removed, as soon as nobody uses it.
my $kept = $node->safe_psql('postgres', 'SELECT kept_database FROM pgbackup.restores WHERE kept_database IS NOT NULL');
my $holder = $node->background_psql('postgres');
$holder->query_safe("BEGIN; COMMENT ON DATABASE $kept IS 'held'");
$node->safe_psql('postgres', q{UPDATE pgbackup.restores SET finished_at = finished_at - interval '8 days' WHERE kept_database IS NOT NULL;
	SELECT pgbackup.cleanup()});
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query ~ '^DROP DATABASE' AND wait_event_type = 'Lock'}) or die;
my @removing = grep { (read_file("/proc/$_/stat") // '') =~ /\) \S $launcher / } processes_of('pgbackup agent');
is(scalar @removing, 1, 'one agent removes a database');
is(nice_of($removing[0]), $nicer, 'and is nice');
$holder->query_safe('ROLLBACK');
$holder->quit;
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_database WHERE datname = '$kept'") or die;
restart_settings($node, 'pgbackup.bandwidth_limit' => 0);

# A launcher writes a few lines a minute; the next one has room for as many.
sub next_launcher
{
	my $pid = launcher_pid($node);
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	$node->poll_query_until('postgres', "SELECT pgbackup.launcher_pid() <> $pid") or die;
	return;
}

# The last lines that a failed pg_dump has said are in the row, and some of them in the log with run and database.
my $bin = $node->config_data('--bindir');
unlink "$slow/pg_dump";
PostgreSQL::Test::Utils::append_to_file("$slow/pg_dump", <<"SCRIPT");
#!/bin/bash
case "\$*" in *--version*) exec "$bin/pg_dump" "\$@" ;; esac
for i in {1..75}; do echo "line \$i." >&2; done
exit 1
SCRIPT
chmod 0755, "$slow/pg_dump";
next_launcher();
my $log_start = -s $node->logfile;
$id = fails_with($node, q{'shop', format => 'custom'}, qr/pg_dump of .* exited with status 1/, 'a failing pg_dump', undef);
is(row_of($node, $id)->{detail}, join(' | ', map { "line $_." } 16 .. 75), 'its last 60 lines are the detail');
my $log = substr(read_file($node->logfile), $log_start);
is_deeply([ $log =~ /WARNING:  pgbackup: backup $id of database "shop": (line \d+\.)\n/g ], [ map { "line $_." } 16 .. 19 ],
	'four of them are lines of the log, with run and database');

# What the log has of runs, by the level: of one that completes and one that fails.
sub lines_of_runs
{
	my ($level) = @_;
	next_launcher();
	restart_settings($node, 'pgbackup.log_level' => $level, 'pgbackup.bin_directory' => '');
	my $start = -s $node->logfile;
	my $good = start_backup($node, q{'shop', format => 'custom'});
	is(finished($node, $good), 'completed', "$level: a backup completes");
	restart_settings($node, 'pgbackup.bin_directory' => $slow);
	my $bad = start_backup($node, q{'shop', format => 'custom'});
	is(finished($node, $bad), 'failed', "$level: one fails");
	my $lines = substr(read_file($node->logfile), $start);
	my $of_run = qr/pgbackup: backup (?:$good|$bad) of database "shop"/;
	is_deeply([ grep { /pgbackup: / && !/$of_run|asks to/ } split /\n/, $lines ], [], "$level: every line names run and database");
	return map { s/^.*?(\w+):  $of_run/$1/r =~ s/(: line|: pg_dump).*/$1/r } grep { /$of_run/ } split /\n/, $lines;
}
my @words = ('WARNING: line') x 4;
is_deeply([ lines_of_runs('error') ], ['WARNING failed: pg_dump'], 'error: failures');
is_deeply([ lines_of_runs('warning') ], [ @words, 'WARNING failed: pg_dump' ], 'warning: and what agents say');
is_deeply([ lines_of_runs('log') ], [ 'LOG completed', @words, 'WARNING failed: pg_dump' ], 'log: and how others end');
my @all = lines_of_runs('debug1');
is_deeply([ grep { /starting/ } @all ], [ ('LOG: starting') x 2 ], 'debug1: and what they are at');
is_deeply([ grep { !/^LOG: / } @all ], [ 'LOG completed', @words, 'WARNING failed: pg_dump' ], 'beside the rest');

done_testing();
