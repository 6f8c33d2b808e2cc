# Dumps of the home database: on another server nothing begins by itself; on the same one schedules go on and backups
# come back.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dumps = PostgreSQL::Test::Utils::tempdir();
my $production = new_cluster('production', 'pgbackup.retry_count' => 0, 'pgbackup.retention_count' => 1);
my $storage = $production->safe_psql('postgres', 'SHOW pgbackup.storage');
my $store = $storage =~ s{^file://}{}r;

sub value { return $_[0]->safe_psql('postgres', $_[1]) }

sub enabled { return value($_[0], q{SELECT string_agg(name || ' ' || enabled, ', ' ORDER BY name) FROM pgbackup.schedules WHERE name <> 'default'}) }

sub reasons { return value($_[0], q{SELECT array_to_string(reasons, E'\n') FROM pgbackup.health() LIMIT 1}) }

sub completed
{
	my ($node, $title) = @_;
	my $id = start_backup($node, q{'postgres'});
	is(finished($node, $id), 'completed', $title) or diag(explain(row_of($node, $id)));
	return $id;
}

value($production, "SELECT pgbackup.schedule('yearly', '0 4 1 1 *', storage => '$storage'), pgbackup.schedule('it''s', '0 4 * * *')");
my @ids = map { completed($production, "backup $_") } 1 .. 2;
value($production, "SELECT pgbackup.pin($ids[1])");
is(finished($production, value($production, "SELECT pgbackup.verify($ids[1], 'archive')")), 'completed', 'one is verified');
$production->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
$production->command_ok([ 'pg_dump', '-Fc', '-f', "$dumps/home", $production->connstr('postgres') ], 'the home database is dumped');
$production->command_ok([ 'pg_dump', '-f', "$dumps/home.sql", $production->connstr('postgres') ], 'as a script, too');
$production->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.unstored_marks') or die;
my @files = storage_files($store);

# Another server. One of the schedules names the first one's storage.
my $other = new_cluster('other', -extension => 0, 'pgbackup.retention_count' => 1);
$other->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $other->connstr('postgres'), '-f', "$dumps/home.sql" ], 'another server restores it');
is(enabled($other), "it's false, yearly false", 'there the schedules do not run');
like(reasons($other), qr/^schedule "yearly" came with a copy of the home database of another server, so it does not run here: SELECT pgbackup\.adopt_schedules\(\), or pgbackup\.unschedule\('yearly'\)$/m,
	'health() says so');
like(reasons($other), qr/pgbackup\.unschedule\('it''s'\)/, 'of each of them');
is(value($other, q{SELECT count(*) FROM pgbackup.schedule_states WHERE schedule = 'yearly'}), 0, 'and the launcher does not wait for them');
is(value($other, 'SELECT (SELECT count(*) FROM pgbackup.backups) + (SELECT count(*) FROM pgbackup.removals)'), 0, 'no rows of runs have come along');
isnt(value($other, 'SELECT token FROM pgbackup.instance'), value($production, 'SELECT token FROM pgbackup.instance'), 'the catalog is another one');
# Also when it imports what is there.
is($other->safe_psql('postgres', "SELECT pgbackup.import('$storage')"), scalar(grep { m{/manifest\.json$} } @files), 'it imports the first one\'s backups');
value($other, 'SELECT FROM pgbackup.cleanup()');
value($other, "SELECT pgbackup.pin($ids[1], false)");
value($other, "SELECT pgbackup.delete($ids[1], true)");
$other->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals WHERE attempts = 0') or die;
$other->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.unstored_marks') or die;
is_deeply([ storage_files($store) ], \@files, 'nothing has changed in the storage');

# Somebody adopts them.
value($other, "SELECT pgbackup.unschedule('yearly')");
like(($other->psql('postgres', q{SELECT pgbackup.adopt_schedules('none')}))[2], qr/there is no schedule 'none'/, 'one that is not there');
is(value($other, 'SELECT pgbackup.adopt_schedules()'), q{it's}, 'adopt_schedules() says which');
is(enabled($other), q{it's true}, 'they run from then on');
unlike(reasons($other), qr/came with a copy/, 'and health() is content');
is(value($other, 'SELECT pgbackup.adopt_schedules()'), '', 'a second time there is nothing to adopt');
value($other, q{UPDATE pgbackup.named_schedules SET token = 'x', place = 'y'; SELECT pgbackup.schedule('it''s', '0 5 * * *')});
is(enabled($other), q{it's true}, 'one that is made anew runs, too');
$other->stop;

# The same server.
is($production->psql('postgres', 'CREATE DATABASE copy TEMPLATE postgres'), 3, 'the home database is no template while the launcher is connected');
my $catalog = q{SELECT string_agg(concat_ws(' ', id, file_name, storage, status, checksum), E'\n' ORDER BY id) FROM pgbackup.backups WHERE status = 'completed'};
my $before = value($production, $catalog);
my $marks = "SELECT pinned, verified_at, verified_level FROM pgbackup.backups WHERE id = $ids[1]";
my $marked = value($production, $marks);
like($marked, qr/^t\|\d.*\|archive$/, 'a backup is pinned and verified');
$production->command_ok([ 'pg_restore', '--clean', '--if-exists', '-d', $production->connstr('postgres'), "$dumps/home" ], 'pg_restore --clean');
is(enabled($production), q{it's true, yearly true}, 'on the same server schedules go on');
value($production, q{SELECT pgbackup.unschedule('yearly')});
value($production, 'SELECT pgbackup.import()');
is(value($production, $catalog), $before, 'and import() brings the backups back, with their ids');
is(value($production, $marks), $marked, 'with pins and verifications');
is(value($production, 'SELECT count(*) FROM pgbackup.backups WHERE pinned OR verified_at IS NOT NULL'), 1, 'and no others');
value($production, "SELECT pgbackup.pin($ids[1], false)");
is(value($production, 'SELECT pinned, verified_level FROM pgbackup.marks'), 'f|archive', 'what is unpinned is so in the next dump');
value($production, "SELECT pgbackup.delete($ids[1])");
value($production, 'SELECT pgbackup.import()');
is(value($production, $marks), $marked =~ s/^t/f/r, 'a forgotten one comes back verified');
value($production, "SELECT pgbackup.delete($ids[1], true)");
is(value($production, 'SELECT count(*) FROM pgbackup.marks'), 0, 'one that is removed leaves nothing');
completed($production, 'new ones go on');
$production->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals WHERE attempts = 0') or die;
is(value($production, 'SELECT max(message) FROM pgbackup.removals'), '', 'and retention removes old ones');
$production->stop;
done_testing();
