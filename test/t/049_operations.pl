# The statements of docs/operations.md, each run as written where there is something to be done with it: most
# reasons of health() are brought about, and gone when that was typed. Names of buckets, ids and keys are
# replaced by those of the test.
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

my $document = fixture('../docs/operations.md');
plan skip_all => 'docs/operations.md is not here' unless -e $document;

# Below each heading: its blocks, and the statements and commands in its text.
my (%blocks, %statements);
my $heading = '';
for my $piece (split /^(?=#+ |```)/m, read_file($document))
{
	$heading = $1 if $piece =~ /^#+ (.*)/;
	push @{ $blocks{$heading} }, $1 if $piece =~ /^```sql\n(.*)/s;
	next if $piece =~ /^```\w/;
	$piece =~ s/^```\n//;
	push @{ $statements{$heading} }, grep { /^(?:SELECT|CALL|ALTER|psql) / } map { s/\s+/ /gr } $piece =~ /`([^`]+)`/g;
}

my $node = new_cluster('operations', 'pgbackup.schedule' => '0 0 1 1 *', 'pgbackup.databases' => 'shop');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE ROLE monitor LOGIN; CREATE ROLE owner_of_shop; CREATE DATABASE shop OWNER owner_of_shop');
$node->safe_psql('shop', 'CREATE TABLE orders AS SELECT n, md5(n::text) AS note FROM generate_series(1, 5000) AS n');

sub value { return $node->safe_psql('postgres', $_[0]) }

# Replaces what the document has for an example.
sub filled_in
{
	my ($text, %replacement) = @_;
	for my $example (sort keys %replacement)
	{
		$text =~ s/\Q$example\E/$replacement{$example}/g or die "there is no $example in: $text";
	}
	return $text;
}

# Types all of it into psql; returns what it answers.
sub typed
{
	my ($server, $title, $sql) = @_;
	my ($code, $out, $err) = $server->psql('postgres', $sql, on_error_stop => 1);
	is($code, 0, "\"$title\" works as written") or diag("$sql\n$err");
	return $out;
}

# The next block below the heading, and the next statement in its text.
sub block_of
{
	my ($title, %replacement) = @_;
	my $text = shift @{ $blocks{$title} // [] } // die "no block is left below \"$title\"";
	return typed(delete $replacement{-server} // $node, $title, filled_in($text, %replacement));
}

sub statement_of
{
	my ($title, %replacement) = @_;
	my $text = shift @{ $statements{$title} // [] } // die "no statement is left below \"$title\"";
	return typed($node, "$title: $text", filled_in($text, %replacement));
}

sub reasons { return value(q{SELECT status || ': ' || array_to_string(reasons, '; ') FROM pgbackup.health() WHERE database = 'shop'}) }

sub await_healthy
{
	my ($title) = @_;
	ok($node->poll_query_until('postgres', q{SELECT status = 'healthy' FROM pgbackup.health() WHERE database = 'shop'}),
		"\"$title\" has mended it") or diag(reasons());
	return;
}

sub latest { return value(q{SELECT (pgbackup.latest('shop')).id}) }

# Alerts, and reasons of health(), in an order in which one can be made of the other.
my $title = 'there is no backup';
like(reasons(), qr/^critical: there is no backup$/, $title);
like(block_of('Operations'), qr/^shop\|critical\|\{"there is no backup"\}$/m, 'what is wrong is the first thing to be seen');
statement_of($title);
await_healthy($title);

$title = 'the newest backup is … old';
value(q{UPDATE pgbackup.backups SET started_at = started_at - interval '30 hours'});
like(reasons(), qr/^critical: the newest backup is 30 h old/, $title);
statement_of($title) for 1 .. 2;
like(block_of('PgbackupTooOld'), qr/^\d+\|completed\|.*^default\|t\|0 0 1 1 \*\|/ms, 'the last backups and the schedules are seen');
await_healthy('PgbackupTooOld');

$title = 'the last backup failed, the last … backups failed';
restart_settings($node, 'pgbackup.bin_directory' => $node->basedir . '/nowhere');
is(finished($node, start_backup($node, q{'shop'})), 'failed', 'a backup fails');
like(reasons(), qr/^warning: the last backup failed: /, $title);
like(block_of($title), qr/^\d+\|.*nowhere/, 'the block shows why');
restart_settings($node, 'pgbackup.bin_directory' => '');
statement_of($title);
await_healthy($title);

like(block_of('the launcher does not run'), qr/^pgbackup\n\d+\npostgres$/, 'what the launcher needs is seen');

# Ends the launcher as the document says, and waits for the next one.
sub launcher_ended
{
	my ($heading) = @_;
	my $launcher = launcher_pid($node);
	statement_of($heading);
	$node->poll_query_until('postgres', "SELECT pgbackup.launcher_pid() <> $launcher") or die 'no launcher';
	return;
}

# 078_outages.pl has it stopped.
$title = 'the launcher (process …) has not responded since …';
like(block_of($title), qr/^Extension\|Extension\|.*\|\{\}$/, 'what the launcher waits for is seen');
launcher_ended($title);

$title = 'pgbackup.storage is not set';
restart_settings($node, 'pgbackup.storage' => '');
like(reasons(), qr/^critical: pgbackup\.storage is not set/, $title);
like(block_of($title, 's3://my-bucket/production' => "file://$store"), qr/postgresql\.auto\.conf\|\d+\|\|/, 'where it was emptied is seen');
await_healthy($title);

like(statement_of('the storage cannot be reached'), qr/^storage.*\|ok\|/m, 'check() tries the storage');

$title = 'the newest backup has … bytes';
my $before = latest();
$node->safe_psql('shop', 'TRUNCATE orders');
is(finished($node, start_backup($node, q{'shop'})), 'completed', 'a backup of a database that was emptied');
like(reasons(), qr/^warning: the newest backup has \d+ bytes/, $title);
block_of($title);
is(value("SELECT pinned FROM pgbackup.get($before)"), 't', 'the backup from before is kept');
$node->safe_psql('shop', 'INSERT INTO orders SELECT n, md5(n::text) FROM generate_series(1, 5000) AS n');
is(finished($node, start_backup($node, q{'shop'})), 'completed', 'a backup when it is full again');

$title = 'no backup has been proved good, the last proof of a backup is … old';
restart_settings($node, 'pgbackup.max_proof_age' => 86400);
like(reasons(), qr/^warning: no backup has been proved good/, $title);
statement_of($title);
await_healthy($title);

$title = 'backup of a former database of this name is kept until you decide, backups of a former database of this name are kept until you decide';
value(q{UPDATE pgbackup.backups SET database_oid = 1 WHERE database = 'shop'});
like(reasons(), qr/warning: 1 backup of a former database of this name is kept until you decide, /, $title);
like(block_of($title), qr/^\d+\|\d{4}-.*^\d+$/ms, 'they are seen, and adopted');
await_healthy($title);
statement_of($title);

# A session of psql that stays in a transaction; returns it, its input and its process id.
sub idle_session
{
	my ($sql) = @_;
	my ($in, $out, $err) = ("$sql; SELECT 'pid ' || pg_backend_pid();\n", '', '');
	my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$err,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	$session->pump until $out =~ /^pid (\d+)$/m;
	return ($session, $1);
}

$title = 'nothing has been recorded of schedule "…" since it was due at …';
{
	my ($session, $pid) = idle_session('BEGIN; LOCK TABLE pgbackup.slots IN EXCLUSIVE MODE');
	value(q{UPDATE pgbackup.schedule_states SET began = began - interval '2 years', since = since - interval '2 years'; SELECT pgbackup._wake_launcher()});
	like(reasons(), qr/^critical: nothing has been recorded of schedule "default" since it was due at /, $title);
	$node->poll_query_until('postgres', 'SELECT cardinality(pg_blocking_pids(pgbackup.launcher_pid())) > 0') or die 'the launcher does not wait';
	like(block_of($title, 4711 => $pid), qr/^$pid\|.*\|idle in transaction\|/m, 'the session is seen that the launcher waits for');
	await_healthy($title);
	$session->kill_kill;
}

$title = 'the catalog of pgbackup cannot be read: …, process … has locked table "…" of pgbackup';
{
	my ($session, $pid) = idle_session('BEGIN; LOCK TABLE pgbackup.backups');
	like(value('SELECT * FROM pgbackup.health()'), qr/^postgres\|critical\|\{"the catalog of pgbackup cannot be read: canceling statement due to lock timeout","process $pid has locked table \\"backups\\" of pgbackup"\}/, $title);
	like(block_of($title, 4711 => $pid), qr/^$pid\|.*\|idle in transaction\|/m, 'the session is seen that holds the lock');
	await_healthy($title);
	$session->kill_kill;
}

$title = 'schedule "…" selects no database';
restart_settings($node, 'pgbackup.databases' => 'none_%');
like(value('SELECT database, status, reasons FROM pgbackup.health()'), qr/^postgres\|critical\|\{"schedule \\"default\\" selects no database"\}$/, $title);
like(statement_of($title), qr/^default\|none_%$/, 'its list is seen');
restart_settings($node, 'pgbackup.databases' => 'shop,gone');
like(reasons(), qr/^critical: schedule "default" names database "gone", which does not exist$/, 'schedule "…" names database "…", which does not exist');
restart_settings($node, 'pgbackup.databases' => 'shop');
await_healthy($title);

$title = 'schedule "…" has started no backup of this database at …';
value(q{
	UPDATE pgbackup.slots SET outcome = 'run', databases = 'shop' WHERE schedule = 'default' AND slot = (SELECT max(slot) FROM pgbackup.slots);
	UPDATE pgbackup.backups SET created_at = created_at - interval '2 years' WHERE id = (SELECT min(id) FROM pgbackup.backups WHERE database = 'shop')});
like(reasons(), qr/^warning: schedule "default" has started no backup of this database at \S+ \S+$/, $title);
like(statement_of($title), qr/^default\|t\|/, 'the next time is seen');
value(q{UPDATE pgbackup.slots SET skipped = '{shop}'});
await_healthy('that it was skipped');

# As if what is a moment late were late.
sub grace
{
	my ($interval) = @_;
	return value(qq{CREATE OR REPLACE FUNCTION pgbackup._grace() RETURNS interval LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
		AS \$\$SELECT interval '$interval'\$\$});
}
grace('1 s');

$title = '… … is recorded as under way, but no process works on it';
my $lost = value(q{INSERT INTO pgbackup.backups (database, storage, format, status, started_at, file_name)
	VALUES ('shop', 'file:///nowhere', 'custom', 'in_progress', now() - interval '1 hour', 'x') RETURNING id});
like(reasons(), qr/^warning: backup $lost is recorded as under way, but no process works on it$/, $title);
launcher_ended($title);
ok($node->poll_query_until('postgres', "SELECT status = 'failed' FROM pgbackup.backups WHERE id = $lost"), 'the next launcher records its end');
value("DELETE FROM pgbackup.backups WHERE id = $lost; DELETE FROM pgbackup.removals WHERE run_id = $lost");

$title = '… … has been waiting since …, although nothing keeps it from starting';
{
	my $waiting = value(q{INSERT INTO pgbackup.backups (database, storage, format, options, not_before)
		SELECT database, storage, 'custom', options, clock_timestamp() + interval '5 s' FROM pgbackup.latest('shop') RETURNING id});
	value('SELECT pgbackup._wake_launcher()');
	my ($session, $pid) = idle_session("BEGIN; SELECT FROM pgbackup.backups WHERE id = $waiting FOR UPDATE");
	ok($node->poll_query_until('postgres', qq{SELECT reasons::text ~ 'backup $waiting has been waiting since .*, although nothing keeps it from starting'
		FROM pgbackup.health() WHERE database = 'shop'}), $title);
	like(block_of($title, 4711 => $pid), qr/^$pid\|.*\|idle in transaction\|/m, 'the session is seen that holds it');
	is(finished($node, $waiting), 'completed', 'then it runs');
	await_healthy($title);
	$session->kill_kill;
}

$title = 'a notification … has not been delivered since …: …, … notifications … have not been delivered since …: …';
{
	restart_settings($node, 'pgbackup.webhook_url_file' => '/nowhere/urls');
	value(q{INSERT INTO pgbackup.notifications (channel, kind, run_id, event, created_at)
		VALUES ('webhook', 'backup', 0, '{}', now() - interval '11 minutes'); SELECT pgbackup._wake_launcher()});
	ok($node->poll_query_until('postgres', q{SELECT reasons::text ~ 'a notification by webhook has not been delivered since .*: could not read the URLs'
		FROM pgbackup.health() WHERE database = 'shop'}), $title);
	like(block_of($title), qr/^webhook\|webhook\|\d+\|.*could not read the URLs/m, 'what fails is seen');
	value(q{DELETE FROM pgbackup.notifications});

	$title = 'the last notification … was given up: …, the last … notifications … were given up: …';
	value(q{UPDATE pgbackup.notification_targets SET given_up_in_a_row = 2 WHERE channel = 'webhook'});
	like(reasons(), qr/^warning: the last 2 notifications by webhook were given up: could not read the URLs/, $title);
	block_of($title);
	await_healthy($title);
	restart_settings($node, 'pgbackup.webhook_url_file' => '');
}

$title = 'the NOTIFY queue is too full for notifications: …';
{
	# As if a few pages were half of it.
	value(q{CREATE OR REPLACE FUNCTION pgbackup._notify_limit() RETURNS double precision LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS 'SELECT 1e-7::double precision'});
	my ($session, $pid) = idle_session('LISTEN noise; BEGIN');
	value(q{SELECT count(pg_notify('noise', repeat('x', 7000) || n)) FROM generate_series(1, 10) AS n});
	like(reasons(), qr/^warning: the NOTIFY queue is too full for notifications: /, $title);
	like(block_of($title, 4711 => $pid), qr/^$pid\|/m, 'the session is seen that keeps it full');
	await_healthy($title);
	$session->kill_kill;
	value(q{CREATE OR REPLACE FUNCTION pgbackup._notify_limit() RETURNS double precision LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS 'SELECT 0.5::double precision'});
}

$title = 'schedule "…" no longer backs up this database';
my $scheduled = start_backup($node, q{'shop'});
is(finished($node, $scheduled), 'completed', 'a backup of a schedule');
value("UPDATE pgbackup.backups SET schedule = 'default' WHERE id = $scheduled");
value('SET ROLE owner_of_shop; ALTER DATABASE shop ALLOW_CONNECTIONS false');
like(reasons(), qr/^warning: schedule "default" no longer backs up this database: it does not accept connections/, $title);
statement_of($title, name => 'shop');
await_healthy($title);
statement_of($title, id => $scheduled);

$title = 'it is invalid, because its DROP DATABASE was interrupted, so it is not backed up';
value('CREATE DATABASE half_dropped');
value(q{UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half_dropped'});
is(value(q{SELECT status, reasons FROM pgbackup.health() WHERE database = 'half_dropped'}), qq{warning|{"$title"}}, $title);
is(value(q{SELECT count(*) FROM pgbackup._select_databases('*') AS s (name) WHERE name = 'half_dropped'}), 0, 'and * does not select it');
value('DROP DATABASE half_dropped');
is(value(q{SELECT count(*) FROM pgbackup.health() WHERE database = 'half_dropped'}), 0, 'once it is dropped, nothing is left to say');

$title = 'the proof of backup … failed';
my $damaged = latest();
my $folder = "$store/" . value("SELECT file_name FROM pgbackup.get($damaged)");
flip_bit("$folder/$_") for grep { !/manifest\.json$/ } storage_files($folder);
is(finished($node, value("SELECT pgbackup.verify($damaged)")), 'failed', 'a damaged backup');
like(reasons(), qr/critical: the proof of backup \d+ failed/, $title);
like(block_of($title), qr/^\d+\|.*damaged/, 'the block shows what is damaged');
await_healthy($title);

$title = 'the copy of backup … in … is missing';
my $offsite = $node->basedir . '/offsite';
append_to_file($offsite, 'not a directory');
restart_settings($node, 'pgbackup.storage_copies' => "file://$offsite");
is(finished($node, start_backup($node, q{'shop'})), 'completed', 'a backup without its copy');
ok($node->poll_query_until('postgres', q{SELECT reasons::text ~ 'the copy of backup' FROM pgbackup.health() WHERE database = 'shop'}), $title);
unlink $offsite;
like(block_of($title, 17 => latest(), 's3://offsite/production?…' => "file://$offsite"), qr/^file:\/\/\Q$offsite\E\|failed\|/,
	'the block shows why');
await_healthy($title);
restart_settings($node, 'pgbackup.storage_copies' => '');

$title = 'backup … holds back vacuum';
my $slow = slow_programs($node);
restart_settings($node, 'pgbackup.bin_directory' => $slow, 'pgbackup.max_xmin_age' => 50);
my $held = start_backup($node, q{'shop'});
wait_for_file("$slow/reached");
value(join ';', ('SELECT pg_current_xact_id()') x 60);
like(reasons(), qr/^warning: .*backup $held holds back vacuum/, $title);
ok($node->poll_query_until('postgres', qq{SELECT bool_or(r ~ '^backup $held has made no progress since .*, in phase "dumping"')
	FROM pgbackup.health(), unnest(reasons) AS r}), '… … has made no progress since …, in phase "…"');
like(statement_of('… … has made no progress since …, in phase "…"'), qr/^$held\|backup\|shop\|dumping\|/, 'its process is seen');
statement_of($title, 17 => $held);
is(finished($node, $held), 'cancelled', 'the backup is cancelled');
grace('90 seconds');
await_healthy($title);
restart_settings($node, 'pgbackup.bin_directory' => '', 'pgbackup.max_xmin_age' => 100_000_000);

$title = '… folders or databases wait to be removed';
my $doomed = $damaged; # which no copy could be made of, below
$folder = "$store/" . value("SELECT file_name FROM pgbackup.get($doomed)");
rename $folder, "$folder.away" or die $!;
append_to_file($folder, 'not a directory');
value("SELECT pgbackup.delete($doomed, true)");
$node->poll_query_until('postgres', 'SELECT attempts > 0 FROM pgbackup.removals') or die;
value('UPDATE pgbackup.removals SET attempts = 3');
like(reasons(), qr/^warning: 1 folder or databases wait to be removed/, $title);
unlink $folder;
rename "$folder.away", $folder or die $!;
like(statement_of($title), qr/^$doomed\|/, 'what waits is seen');
statement_of($title);
await_healthy($title);
ok(!-e $folder, 'the folder is gone');

$title = 'pins and verifications wait to be written to the storage';
my $pinned = latest();
rename $store, "$store.away" or die $!;
value("SELECT pgbackup.pin($pinned)");
$node->poll_query_until('postgres', 'SELECT attempts > 0 FROM pgbackup.unstored_marks') or die;
value('UPDATE pgbackup.unstored_marks SET attempts = 3');
like(reasons(), qr/^warning: pins and verifications wait to be written to the storage, 1 backup, which fails: /, $title);
rename "$store.away", $store or die $!;
like(statement_of($title), qr/^$pinned\|/, 'what waits is seen');
statement_of($title);
await_healthy($title);
value("SELECT pgbackup.pin($pinned, false)");

$title = 'PgbackupSilent';
{
	my $command = shift @{ $statements{$title} };
	local @ENV{ 'PGHOST', 'PGPORT' } = ($node->host, $node->port);
	my ($out, $err) = ('', '');
	ok(!IPC::Run::run([ 'sh', '-c', $command ], '>', \$out, '2>', \$err), 'somebody who may not read');
	like($err, qr/permission denied/, 'is told so');
	statement_of($title);
	ok(IPC::Run::run([ 'sh', '-c', $command ], '>', \$out, '2>', \$err), 'and can read then') or diag($err);
}

# Routine work.
$title = 'A new version of pgbackup';
is(statement_of($title), 0, 'nothing runs');
statement_of($title) for 1 .. 2;

$title = 'A new major version of PostgreSQL';
statement_of($title);
my @made = split /\n/, statement_of($title);
is(scalar @made, 2, 'a backup of every database');
is(finished($node, $_), 'completed', 'completes') for @made;

# While all is in one place: another server that has lost everything.
$title = 'A new server in place of a lost one';
my $fresh = new_cluster('fresh', -extension => 0, 'pgbackup.storage' => "file://$store");
block_of($title, -server => $fresh);
$fresh->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgbackup.restores WHERE status = 'completed'}) or die;
is(database_as_text($fresh, 'shop'), database_as_text($node, 'shop'), 'the database is there');
$fresh->stop;

my $completed = value(q{SELECT count(*) FROM pgbackup.backups WHERE status = 'completed'});

$title = 'Another copy';
my $url = 's3://offsite/production?endpoint=https://s3.example.com&credentials_file=/etc/pgbackup/offsite';
block_of($title, $url => "file://$offsite");
$node->poll_query_until('postgres', 'SELECT current_setting($$pgbackup.storage_copies$$) <> $$$$') or die;
block_of($title);
ok($node->poll_query_until('postgres', "SELECT count(*) = $completed FROM pgbackup.copies WHERE storage = 'file://$offsite' AND status = 'completed'"),
	'each backup has a copy');
restart_settings($node, 'pgbackup.storage_copies' => '');

$title = 'Another place for the backups';
my $other = $node->basedir . '/other';
block_of($title, 's3://new-bucket/production' => "file://$other");
ok($node->poll_query_until('postgres', "SELECT count(*) = $completed FROM pgbackup.copies WHERE storage = 'file://$other' AND status = 'completed'"),
	'each backup is there, too');
unlike(statement_of($title), qr/\|error\|/, 'with which nothing is wrong');
is(finished($node, start_backup($node, q{'shop'})), 'completed', 'a new backup');
is(value('SELECT storage FROM pgbackup.get(' . latest() . ')'), "file://$other", 'goes there alone');

$title = 'Other encryption recipients';
my @recipients = map { chomp(my $key = (pgbackup($node, 'keygen', '-o', $node->basedir . "/key.$_"))[1]); $key } 1 .. 2;
block_of($title, 'age1new…, age1other…' => join(', ', @recipients));
is(finished($node, start_backup($node, q{'shop'})), 'completed', 'another one');
is(value('SELECT manifest ? \'encryption\' FROM pgbackup.get(' . latest() . ')'), 't', 'is encrypted');

# What a run over S3 would have seen (050_ahead.pl has such runs).
sub seen_by_last_run
{
	my ($seen) = @_;
	return $node->safe_psql('postgres', "UPDATE pgbackup.backups SET $seen WHERE id = (SELECT max(id) FROM pgbackup.backups WHERE database = 'shop')");
}

$title = q{the clock of the storage is … ahead of this server's, the clock of the storage is … behind this server's};
seen_by_last_run(q{clock_skew = '5 min'});
like(reasons(), qr/^warning: the clock of the storage is 5 min ahead of this server's/, $title);
statement_of($title) for 1 .. 2;
await_healthy($title);

$title = 'the credentials for the storage expire in …, expired … ago';
seen_by_last_run(q{credentials_expire_at = now() - interval '1 hour'});
like(reasons(), qr/^critical: the credentials for the storage expired /, $title);
statement_of($title);
await_healthy($title);

# 094_library.pl has the file.
$title = 'the library of pgbackup has version …, the extension has version …';
value(q{UPDATE pg_extension SET extversion = '0.9' WHERE extname = 'pgbackup'});
like(reasons(), qr/^critical: the library of pgbackup has version 1\.0\.0, the extension has version 0\.9$/, $title);
# There is no script from that version.
value(q{UPDATE pg_extension SET extversion = '1.0' WHERE extname = 'pgbackup'});
block_of($title);
await_healthy($title);

$title = 'schedule "…" came with a copy of the home database of another server, so it does not run here: …';
value(q{SELECT pgbackup.schedule('name', '0 5 * * 0'); UPDATE pgbackup.named_schedules SET token = 'other', place = 'elsewhere'});
like(reasons(), qr/^critical: schedule "name" came with a copy /, $title);
statement_of($title);
await_healthy($title);
statement_of($title);
await_healthy($title);
like(block_of('A dump of the home database'), qr/^0$/m, 'all backups are known');

statement_of('New keys for S3');
statement_of('A schedule that should pause');
is_deeply({ map { $_ => $blocks{$_} } grep { @{ $blocks{$_} } } keys %blocks }, {}, 'every block was run');
is_deeply({ map { $_ => $statements{$_} } grep { @{ $statements{$_} } } keys %statements }, {}, 'and every statement');

$node->stop;
done_testing();
