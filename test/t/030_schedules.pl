# Named schedules: what they select, how late they may run, what is skipped, missed and tried again.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('schedules', 'pgbackup.timezone' => 'UTC', 'pgbackup.databases' => '*,-scratch,-test_%',
	max_wal_senders => 3, wal_level => 'replica', hot_standby => 'on');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', qq{CREATE DATABASE $_}) for 'shop', 'scratch', 'test_1', '"testX1"', 'other';

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

sub error_of
{
	my ($status, undef, $stderr) = $node->psql('postgres', $_[0]);
	return $status == 0 ? 'no error' : $stderr;
}

# As if a schedule had looked last that long ago.
sub not_looked_since
{
	my ($schedule, $interval) = @_;
	sql("UPDATE pgbackup.schedule_states SET since = now() - interval '$interval' WHERE schedule = '$schedule'; SELECT pgbackup._wake_launcher()");
	return;
}

sub over
{
	my ($schedule, $runs) = @_;
	$node->poll_query_until('postgres',
		"SELECT count(*) = $runs AND bool_and(finished_at IS NOT NULL) FROM pgbackup.backups WHERE schedule = '$schedule'")
	  or die "schedule $schedule: " . sql("SELECT string_agg(b::text, E'\\n') FROM pgbackup.backups b");
	return;
}

sub slots
{
	my ($schedule) = @_;
	return sql("SELECT string_agg(outcome || ' ' || slots, ', ' ORDER BY slot) FROM pgbackup.slots WHERE schedule = '$schedule'");
}

# A list can leave databases out, and % stands for anything.
is(sql(q{SELECT string_agg(d, ',') FROM pgbackup._select_databases('*,-scratch,-test_%') d}), 'other,postgres,shop,testX1',
	'a list can leave out names and patterns, where _ is itself');
is(sql(q{SELECT string_agg(d, ',') FROM pgbackup._select_databases('s%, gone, -shop, -gone_too') d}), 'gone,scratch',
	'what is named is selected even if it is not there');

# What makes no schedule is refused.
like(error_of($_->[0]), $_->[1], $_->[2])
  for [ q{SELECT pgbackup.schedule('x', '0 25 * * *')}, qr/invalid cron expression.*DETAIL:  hour is out of range 0-23, at character 3\..*HINT/s, 'an hour' ],
  [ q{SELECT pgbackup.schedule('default', '0 2 * * *')}, qr/invalid name of a schedule/, 'a name that is taken' ],
  [ q{SELECT pgbackup.schedule('x', '0 2 * * *', databases => '-a')}, qr/invalid databases.*HINT/s, 'a list that selects nothing' ],
  [ q{SELECT pgbackup.schedule('x', '0 2 * * *', timezone => 'Mars/Olympus')}, qr/invalid time zone.*HINT/s, 'a zone' ],
  [ q{SELECT pgbackup.schedule('x', '0 2 * * *', jitter => '2 days')}, qr/invalid jitter/, 'a jitter' ],
  [ q{SELECT pgbackup.schedule('x', '0 2 * * *', storage => 'ftp://x')}, qr/invalid storage/, 'a storage' ],
  [ q{SELECT pgbackup.schedule('x', '0 2 * * *', retention_days => -1)}, qr/invalid retention/, 'a rule' ],
  [ q{SELECT pgbackup.schedule('x', '0 2 * * *', content => 'some')}, qr/invalid content/, 'a content' ],
  [ q{SELECT pgbackup.unschedule('x')}, qr/there is no schedule 'x'.*HINT/s, 'a schedule that is not there' ],
  [ q{SELECT pgbackup.unschedule('default')}, qr/HINT:  ALTER SYSTEM SET pgbackup.schedule/, 'the default one' ];

# Three schedules; what they will do can be seen. The weekly one was due four days ago.
my $weekday = sql(q{SELECT (extract(dow FROM now() AT TIME ZONE 'Asia/Kathmandu')::int + 3) % 7});
my $weekday_name = (qw(Sunday Monday Tuesday Wednesday Thursday Friday Saturday))[$weekday];
my $own = $node->basedir . '/own';
mkdir $own or die;
sql(qq{SELECT pgbackup.schedule('daily', '0 2 * * *');
	SELECT pgbackup.schedule('weekly', '30 3 * * $weekday', databases => 'shop, gone', content => 'schema', label => 'week',
		storage => 'file://$own', timezone => 'Asia/Kathmandu', retention_count => 1);
	SELECT pgbackup.schedule('off', '\@hourly', enabled => false)});
is(sql(q{SELECT string_agg(concat_ws('|', name, enabled, in_words, timezone, next_run AT TIME ZONE timezone = date_trunc('day', next_run AT TIME ZONE timezone) +
		CASE name WHEN 'daily' THEN interval '2 hours' ELSE interval '03:30' END, missed, running), E'\n') FROM pgbackup.schedule_status()}),
	"default|f|UTC|0|0\ndaily|t|at 02:00 every day|UTC|t|0|0\noff|f|every hour|UTC|0|0\nweekly|t|at 03:30 on $weekday_name|Asia/Kathmandu|t|0|0",
	'the status of schedules that have not run');
$node->poll_query_until('postgres', 'SELECT count(*) = 2 FROM pgbackup.schedule_states') or die;

# Down over one time, and for ten days: once each.
not_looked_since('daily', '26 hours');
over('daily', 4);
like(slots('daily'), qr/^(missed 1, )?caught_up 1$/, 'a server that was down at two catches up once');
is(sql(q{SELECT string_agg(database || ' ' || status, ', ' ORDER BY database) FROM pgbackup.backups WHERE schedule = 'daily'}),
	'other completed, postgres completed, shop completed, testX1 completed', 'all its databases');
sql(q{DELETE FROM pgbackup.slots; DELETE FROM pgbackup.backups});
not_looked_since('daily', '10 days');
over('daily', 4);
is(slots('daily'), 'missed 9, caught_up 1', 'after ten days, once');
$node->poll_query_until('postgres', q{SELECT since > now() - interval '1 day' FROM pgbackup.schedule_states WHERE schedule = 'daily'}) or die;
is(sql(q{SELECT missed || ' ' || last_status FROM pgbackup.schedule_status() WHERE name = 'daily'}), '9 completed', 'and the status says so');

# What has run does not run again, whatever the clock does.
not_looked_since('daily', '10 days');
$node->poll_query_until('postgres', q{SELECT since > now() - interval '1 day' FROM pgbackup.schedule_states WHERE schedule = 'daily'}) or die;
is(slots('daily'), 'missed 9, caught_up 1', 'nothing is settled twice');
sql(q{INSERT INTO pgbackup.slots (schedule, slot, outcome, first_slot, slots) VALUES ('daily', now() + interval '3 days', 'missed', now() + interval '1 day', 3)});
not_looked_since('daily', '-3 days');
$node->poll_query_until('postgres', q{SELECT since <= now() FROM pgbackup.schedule_states WHERE schedule = 'daily'}) or die;
is(slots('daily'), 'missed 9, caught_up 1', 'what a wrong clock has missed is to come again');
is(sql(q{SELECT count(*) FROM pgbackup.backups WHERE schedule = 'daily'}), 4, 'and no backup is made twice');

# Outside of the window nothing is caught up. Options of the schedule are those of its backups.
not_looked_since('weekly', '8 days');
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pgbackup.slots WHERE schedule = 'weekly'}) or die;
is(slots('weekly'), 'missed 1', 'four days are longer than the window');
restart_settings($node, 'pgbackup.catch_up_window' => 700000);
sql(q{DELETE FROM pgbackup.slots WHERE schedule = 'weekly'; DELETE FROM pgbackup.backups WHERE schedule = 'weekly'});
not_looked_since('weekly', '8 days');
over('weekly', 2);
is(sql(q{SELECT string_agg(concat_ws('|', database, status, label, options->>'content', storage LIKE '%/own'), ', ' ORDER BY database)
	FROM pgbackup.backups WHERE schedule = 'weekly'}), 'gone|failed|week|schema|t, shop|completed|week|schema|t',
	'a schedule has its own databases, content, label and storage; a database that is gone has a clear row');
like(sql(q{SELECT message FROM pgbackup.backups WHERE database = 'gone'}), qr/does not exist/, 'which says so');
is(sql(q{SELECT last_status FROM pgbackup.schedule_status() WHERE name = 'weekly'}), 'failed', 'and the status does');
is(sql(q{SELECT string_agg(reason, ',') FROM pgbackup.retention_plan() WHERE schedule = 'weekly'}), 'the newest backup of a part of its database',
	'its own retention counts');
is(sql(q{SELECT count(*) FROM pgbackup.retention_plan() WHERE schedule = 'daily' AND reason = 'no retention rule is set'}), 4, 'for its own backups');

# A failed run is tried again, later each time.
restart_settings($node, 'pgbackup.retry_delay' => 1, 'pgbackup.retry_count' => 2);
my $broken = $node->basedir . '/broken';
my $bin = $node->config_data('--bindir');
mkdir $broken or die;
symlink "$bin/$_", "$broken/$_" for qw(pg_dumpall pg_restore psql);
PostgreSQL::Test::Utils::append_to_file("$broken/pg_dump",
	qq{#!/bin/bash\ncase "\$*" in *--version*) exec "$bin/pg_dump" "\$@" ;; esac\necho "pg_dump: error: out of order" >&2\nexit 1\n});
chmod 0755, "$broken/pg_dump";
restart_settings($node, 'pgbackup.bin_directory' => $broken);
sql("SELECT pgbackup.schedule('broken', '0 2 * * *', databases => 'shop')");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgbackup.schedule_states WHERE schedule = 'broken'}) or die;
not_looked_since('broken', '1 day');
over('broken', 3);
is(sql(q{SELECT string_agg(status || ' ' || attempt, ', ' ORDER BY id) FROM pgbackup.backups WHERE schedule = 'broken'}),
	'failed 1, failed 2, failed 3', 'a scheduled run that fails is tried again');
is(sql(q{SELECT bool_and(not_before IS NULL OR not_before > created_at + (attempt - 1) * interval '1 s' - interval '200 ms') FROM pgbackup.backups WHERE schedule = 'broken'}), 't', 'later each time');
like(sql(q{SELECT message FROM pgbackup.backups WHERE schedule = 'broken' AND attempt = 3}), qr/this was attempt 3, the last one/, 'but not for ever');
sql(q{SELECT pgbackup.unschedule('broken')});
is(sql(q{SELECT count(*) FROM pgbackup.schedules WHERE name = 'broken'}), 0, 'a schedule can be dropped');
my $by_hand = start_backup($node, q{'shop'});
is(finished($node, $by_hand), 'failed', 'a backup by hand fails');
is(sql("SELECT count(*) FROM pgbackup.backups WHERE retry_of = $by_hand"), 0, 'and is not tried again: somebody has seen it');

# On time, and over: while the earlier run of a database is under way, it is skipped.
my $slow = slow_programs($node, 100);
restart_settings($node, 'pgbackup.bin_directory' => $slow);
sql(q{SELECT pgbackup.schedule('often', '* * * * *', databases => 'shop')});
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgbackup.schedule_states WHERE schedule = 'often'}) or die;
not_looked_since('often', '1 minute');
wait_for_file("$slow/reached");
my ($first) = split / /, sql(q{SELECT id FROM pgbackup.backups WHERE schedule = 'often'});
# Retention has a schedule, too: no backup completes meanwhile.
sql(q{INSERT INTO pgbackup.backups (database, storage, file_name, format, status, finished_at, system_identifier)
	SELECT 'ghost', current_setting('pgbackup.storage'), 'ghost/' || i, 'custom', 'completed', now() - i * interval '1 day',
	       (SELECT system_identifier::text FROM pg_control_system()) FROM generate_series(1, 2) i});
restart_settings($node, 'pgbackup.retention_count' => 1, 'pgbackup.cleanup_schedule' => '* * * * *');
# Jitter: the same for a schedule of a cluster; the next minute is not far.
my $delay = sql(q{SELECT pgbackup._jitter_delay('jittered', 40)});
is(sql(q{SELECT pgbackup._jitter_delay('jittered', 40)}), $delay, 'jitter is no chance');
isnt(sql(q{SELECT count(DISTINCT pgbackup._jitter_delay('s' || i, 3600)) > 40 FROM generate_series(1, 50) i}), 'f', 'but differs between schedules');
sql(q{SELECT pgbackup.schedule('jittered', '* * * * *', databases => 'other', jitter => '40 s')});
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pgbackup.slots WHERE schedule = 'often' AND outcome = 'skipped'}) or die;
like(sql(q{SELECT message FROM pgbackup.slots WHERE schedule = 'often' AND outcome = 'skipped'}),
	qr/^backup $first of database "shop" is still under way$/, 'a time whose earlier run is not over is skipped, and recorded');
ok($node->log_contains(qr/LOG:  pgbackup: schedule "often" at [^:]+:\S+: backup $first of database "shop" is still under way$/m), 'and logged');
is(sql(q{SELECT skipped || ' ' || running || ' ' || last_status FROM pgbackup.schedule_status() WHERE name = 'often'}), '1 1 in_progress', 'and in the status');
sql(q{SELECT pgbackup.unschedule('often')});
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgbackup.backups WHERE database = 'ghost' AND status = 'expired'}) or die;
is(sql(q{SELECT file_name FROM pgbackup.backups WHERE database = 'ghost' AND status = 'expired'}), 'ghost/2', 'retention is applied on pgbackup.cleanup_schedule');
restart_settings($node, 'pgbackup.retention_count' => 0, 'pgbackup.cleanup_schedule' => '');
PostgreSQL::Test::Utils::append_to_file("$slow/go", '');
is(finished($node, $first), 'completed', 'the run was not disturbed');
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pgbackup.backups WHERE schedule = 'jittered'}) or die;
is(sql(qq{SELECT bool_and(created_at >= slot + interval '$delay' AND created_at < slot + interval '$delay' + interval '10 s' AND slot = date_trunc('minute', slot))
	FROM pgbackup.backups WHERE schedule = 'jittered'}), 't', 'a jittered run starts so much later than its slot');
sql(q{SELECT pgbackup.unschedule('jittered')});

# A time zone that the server knows no more, as after an upgrade of its time zone data: no other one takes its place.
sql(q{SELECT pgbackup.schedule('elsewhere', '* * * * *', databases => 'other', timezone => 'Europe/Berlin')});
sql(q{UPDATE pgbackup.named_schedules SET timezone = 'Mars/Olympus_Mons' WHERE name = 'elsewhere'; SELECT pgbackup._wake_launcher()});
is(sql(q{SELECT next_run IS NULL FROM pgbackup.schedule_status() WHERE name = 'elsewhere'}), 't', 'a schedule in a time zone that is unknown has no next time');
like(sql(q{SELECT string_agg(array_to_string(reasons, '; '), '; ') FROM pgbackup.health() WHERE status = 'critical'}),
	qr/schedule "elsewhere" does not run: time zone "Mars\/Olympus_Mons" is unknown to this server/, 'which health() says');
not_looked_since('elsewhere', '1 hour');
sql(q{SELECT pgbackup.schedule('witness', '* * * * *', databases => 'other')});
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgbackup.schedule_states WHERE schedule = 'witness'}) or die;
not_looked_since('witness', '1 hour');
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pgbackup.backups WHERE schedule = 'witness' AND status = 'completed'}) or die;
is(sql(q{SELECT count(*) FROM pgbackup.slots WHERE schedule = 'elsewhere'}), 0, 'and it does not run while others do');
sql(q{SELECT pgbackup.unschedule(s) FROM unnest('{elsewhere,witness}'::text[]) s});

# What a launcher takes that is woken up for nothing.
sub cpu_ms
{
	my ($nanoseconds) = split / /, read_file('/proc/' . launcher_pid($node) . '/schedstat') // '';
	return $nanoseconds / 1e6;
}
my $before = cpu_ms();
sql('SELECT pgbackup._wake_launcher()') for 1 .. 20;
diag(sprintf 'measured: woken up without work, the launcher takes %.2f ms of CPU', (cpu_ms() - $before) / 20);

# Schedules are part of a dump of the home database; history is not.
my ($dump, $errors) = ('', '');
IPC::Run::run([ $node->installed_command('pg_dump'), '-d', $node->connstr('postgres') ], '>', \$dump, '2>', \$errors) or die $errors;
like($dump, qr/^weekly\t30 3 \* \* \d\t/m, 'a dump of the home database has the schedules');
unlike($dump, qr/COPY pgbackup\.(backups|slots|schedule_states)/, 'and no history');

# A standby that takes over runs nothing twice, and goes on.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('schedules_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
not_looked_since('daily', '0');
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT pgbackup.launcher_pid() IS NULL'), 't', 'on a standby nothing runs');
$node->stop;
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT pgbackup.launcher_pid() IS NOT NULL') or die;
$standby->safe_psql('postgres', q{UPDATE pgbackup.schedule_states SET since = now() - interval '10 days' WHERE schedule = 'daily'; SELECT pgbackup._wake_launcher()});
$standby->poll_query_until('postgres', q{SELECT since > now() - interval '1 day' FROM pgbackup.schedule_states WHERE schedule = 'daily'}) or die;
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.backups WHERE schedule = 'daily'}), 4, 'what the primary has run is not run again');
$standby->safe_psql('postgres', q{SELECT pgbackup.schedule('new', '0 * * * *', databases => 'other')});
$standby->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgbackup.schedule_states WHERE schedule = 'new'}) or die;
$standby->safe_psql('postgres', q{UPDATE pgbackup.schedule_states SET since = now() - interval '1 hour' WHERE schedule = 'new'; SELECT pgbackup._wake_launcher()});
$standby->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgbackup.backups WHERE schedule = 'new' AND status = 'completed'}) or die;
pass('and schedules run there from then on');
$standby->stop;

done_testing();
