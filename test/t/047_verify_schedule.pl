# pgbackup.verify_schedule: the newest backup of each database is proved, once; one that is damaged alerts
# like a failed backup.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use IPC::Run;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('proofs', 'pgbackup.timezone' => 'UTC', 'pgbackup.databases' => 'shop,other', 'pgbackup.verify_level' => 'restore');
my $store = $node->basedir . '/store';
sub sql { return $node->safe_psql('postgres', $_[0]) }
sql("CREATE DATABASE $_") for 'shop', 'other';
$node->safe_psql($_, 'CREATE TABLE t AS SELECT n FROM generate_series(1, 100) AS n') for 'shop', 'other';

sub backup
{
	my ($database) = @_;
	my $id = start_backup($node, "'$database', format => 'custom'");
	is(finished($node, $id), 'completed', "a backup of $database");
	return $id;
}

# The schedule looked last so long ago: its time of two o'clock has gone by once or more.
sub time_goes_by
{
	my ($interval) = @_;
	# A time is settled once only: it is as if it had not been. At once, for the launcher may be awake.
	sql("BEGIN; DELETE FROM pgbackup.slots WHERE schedule = 'verify_schedule';
		UPDATE pgbackup.schedule_states SET since = now() - interval '$interval' WHERE schedule = 'verify_schedule'; COMMIT");
	sql('SELECT pgbackup._wake_launcher()');
	$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pgbackup.slots WHERE schedule = 'verify_schedule' AND outcome <> 'missed'})
	  or die 'the time was not settled';
	return;
}

sub proofs_are_over
{
	$node->poll_query_until('postgres', q{SELECT bool_and(finished_at IS NOT NULL) FROM pgbackup.restores}) or die 'proofs do not end';
	return sql(q{SELECT string_agg(concat_ws(' ', backup_id, mode, status, options->>'level'), ', ' ORDER BY id) FROM pgbackup.restores});
}

sub metric
{
	my ($database) = @_;
	return sql(qq{SELECT value FROM pgbackup.metrics WHERE name = 'pgbackup_last_proof_failed' AND labels->>'database' = '$database'});
}

backup('shop');
my ($shop, $other) = (backup('shop'), backup('other'));
like(($node->psql('postgres', q{ALTER SYSTEM SET pgbackup.verify_schedule = '0 25 * * *'}))[2], qr/hour is out of range/, 'a time that is none');
like(($node->psql('postgres', q{SELECT pgbackup.schedule('verify_schedule', '@daily')}))[2], qr/invalid name/, 'its name is taken');
is(sql(q{SELECT count(*) FROM pgbackup.schedule_states WHERE schedule = 'verify_schedule'}), 0, 'without a setting nothing is proved');
restart_settings($node, 'pgbackup.verify_schedule' => '0 2 * * *');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgbackup.schedule_states WHERE schedule = 'verify_schedule'}) or die 'not taken up';

# A server that was down for three days catches up once: of each database the newest.
time_goes_by('72 hours');
is(proofs_are_over(), "$other verify completed restore, $shop verify completed restore", 'the newest backup of each database is proved');
is(sql(q{SELECT string_agg(outcome || ' ' || slots, ', ' ORDER BY slot) FROM pgbackup.slots WHERE schedule = 'verify_schedule'}),
	'missed 2, caught_up 1', 'once, late');
is(sql("SELECT string_agg(verified_level, ' ') FROM pgbackup.backups WHERE id IN ($shop, $other)"), 'restore restore', 'and says so');
is(sql(q{SELECT count(*) FROM pg_database WHERE datname LIKE '%restore%'}), 0, 'no scratch database is left');

# What is proved is not proved again.
time_goes_by('24 hours');
is(sql(q{SELECT outcome FROM pgbackup.slots WHERE schedule = 'verify_schedule' AND outcome <> 'missed'}), 'skipped', 'nothing is left to prove');
like(sql(q{SELECT message FROM pgbackup.slots WHERE outcome = 'skipped'}), qr/is proved \(restore\)/, 'which the slot says');
is(sql(q{SELECT count(*) FROM pgbackup.restores}), 2, 'no further run');
is(metric('shop'), 0, 'the metric says that all is well');
unlike(sql(q{SELECT string_agg(reasons::text, '') FROM pgbackup.health()}), qr/proof of backup/, 'and so does health()');

# Damage: the other databases are proved all the same, and everybody is told.
my ($bad, $good) = (backup('shop'), backup('other'));
flip_bit("$store/" . row_of($node, $bad)->{file_name} . '/database.dump.zst');
my ($in, $heard) = ("LISTEN pgbackup;\n", '');
my $listener = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$heard,
	IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
$listener->pump until $heard =~ /LISTEN/;
time_goes_by('24 hours');
like(proofs_are_over(), qr/, \Q$good verify completed restore, $bad verify failed restore\E$/, 'the damaged one fails, the other does not');
$in .= "SELECT 'heard ' || 'all';\n";
$listener->pump until $heard =~ /heard all/;
$listener->finish;
my $failed = sql("SELECT id FROM pgbackup.restores WHERE backup_id = $bad AND mode = 'verify' AND status = 'failed'");
like($heard, qr/"id": $failed, "kind": "restore", "status": "failed"/, 'who listens is notified');
like(sql("SELECT message FROM pgbackup.restores WHERE id = $failed"), qr/database\.dump\.zst/, 'and the row names the object');
is(sql(q{SELECT status FROM pgbackup.health() WHERE database = 'shop'}), 'critical', 'health() is critical');
like(sql(q{SELECT reasons::text FROM pgbackup.health() WHERE database = 'shop'}), qr/the proof of backup $bad failed: .*database\.dump\.zst/, 'and names the object');
is(sql(q{SELECT status FROM pgbackup.health() WHERE database = 'other'}), 'healthy', 'of that database alone');
is(metric('shop') . metric('other'), '10', 'the metric says so, too');

# A backup that is proved ends the alert.
my $next = backup('shop');
is(sql(q{SELECT status FROM pgbackup.health() WHERE database = 'shop'}), 'critical', 'a new backup alone does not end it');
restart_settings($node, 'pgbackup.verify_level' => 'archive');
time_goes_by('24 hours');
like(proofs_are_over(), qr/, $next verify completed archive$/, 'it is proved, as thoroughly as is set');
is(sql(q{SELECT status FROM pgbackup.health() WHERE database = 'shop'}), 'healthy', 'which ends it');
is(metric('shop'), 0, 'of the metric, too');

# What this server has no key for is compared with its checksums; with the key it is proved as all else.
my $key = $node->basedir . '/key';
my (undef, $recipient) = pgbackup($node, 'keygen', '-o', $key);
$recipient =~ s/.*(age1\w+).*/$1/s;
restart_settings($node, 'pgbackup.encryption_recipients' => $recipient);
my $encrypted = backup('other');
time_goes_by('24 hours');
like(proofs_are_over(), qr/, $encrypted verify completed checksum$/, 'an encrypted backup, without the key');
time_goes_by('24 hours');
like(sql(q{SELECT outcome FROM pgbackup.slots WHERE schedule = 'verify_schedule' AND outcome <> 'missed'}), qr/^skipped$/, 'once');
restart_settings($node, 'pgbackup.identity_file' => $key);
time_goes_by('24 hours');
like(proofs_are_over(), qr/, $encrypted verify completed archive$/, 'and with it');

# Once a month without any setting.
sql("ALTER SYSTEM RESET pgbackup.$_"), $node->adjust_conf('postgresql.conf', "pgbackup.$_", undef) for 'verify_schedule', 'verify_level';
$node->restart;
is(sql(q{SELECT cron FROM pgbackup._running_schedules WHERE name = 'verify_schedule' AND enabled}), '0 5 1 * *', 'by default once a month');
is(sql('SHOW pgbackup.verify_level'), 'archive', 'what every server can do');

$node->stop;
done_testing();
