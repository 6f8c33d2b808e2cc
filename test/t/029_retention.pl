# Retention: what each rule keeps, when it is applied, and removals that fail.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('retention');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', q{CREATE TABLE goods AS SELECT i, md5(i::text) AS name FROM generate_series(1, 2000) i});

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# A backup of shop, as if it had completed so many days ago.
sub backup_of_day
{
	my ($days_ago, $arguments) = @_;
	my $id = start_backup($node, "'shop'" . ($arguments // ''));
	is(finished($node, $id), 'completed', "a backup of $days_ago days ago") or diag(explain(row_of($node, $id)));
	sql("UPDATE pgbackup.backups SET finished_at = now() - interval '$days_ago days' WHERE id = $id") if $days_ago;
	return $id;
}

# Lines "id action: reason" of the plan.
sub planned
{
	return [ split /\n/, sql(q{SELECT format('%s %s: %s', backup_id, action, reason) FROM pgbackup.retention_plan()}) ];
}

# Retention is applied after a run has ended, and what it gives up is removed after that.
sub removed
{
	my ($title) = @_;
	$node->poll_query_until('postgres',
		"SELECT NOT EXISTS (SELECT FROM pgbackup.retention_plan() WHERE action = 'delete')
		    AND NOT EXISTS (SELECT FROM pgbackup.removals)")
		or die 'removals are not done';
	my %folders = map { m{^(.*)/} ? ($1 => 1) : () } storage_files($store);
	my @known = split /\n/, sql(q{SELECT file_name FROM pgbackup.backups WHERE status = 'completed'});
	is_deeply([ sort keys %folders ], [ sort @known ], "$title: the storage holds what the catalog says is complete");
	return;
}

sub statuses
{
	return sql(q{SELECT string_agg(id || ' ' || status, ', ' ORDER BY id) FROM pgbackup.backups});
}

my @id = map { backup_of_day($_) } reverse 0 .. 5;
is_deeply(planned(), [ map { "$_ keep: no retention rule is set" } reverse @id ], 'the defaults keep everything');
my @files = storage_files($store);

# The last so many; applied after the next success.
restart_settings($node, 'pgbackup.retention_count' => 4);
is_deeply(planned(),
	[ "$id[5] keep: the newest backup of its database", (map { "$_ keep: among the last 4" } @id[ 4, 3, 2 ]),
		map { "$_ delete: no rule keeps it" } @id[ 1, 0 ] ],
	'the plan says what stays and why');
is(sql(q{SELECT string_agg(format('%s %s %s', backup_id, action, reason), ', ') FROM pgbackup.cleanup(dry_run => true)}),
	join(', ', map { "$_ would remove no rule keeps it" } @id[ 0, 1 ]), 'cleanup tells, too');
is_deeply([ storage_files($store) ], \@files, 'and nothing is removed by asking');
push @id, backup_of_day(0);
removed('after a success');
is(statuses(), join(', ', (map { "$_ expired" } @id[ 0 .. 2 ]), map { "$_ completed" } @id[ 3 .. 6 ]),
	'the rows of what is gone stay as history');
my $restore = sql("SELECT count(*) FROM pgbackup.backups WHERE id = $id[0] AND expired_at IS NOT NULL AND manifest IS NOT NULL");
is($restore, 1, 'an expired row says since when');
my ($failed, undef, $why) = $node->psql('postgres', "SELECT pgbackup.restore($id[0], 'x')");
like($why, qr/backup $id[0] is expired.*DETAIL:  given up by retention/s, 'what is expired cannot be restored');

# Pinned, verified and locked ones stay, whatever the days say; so does a minimum.
restart_settings($node, 'pgbackup.retention_count' => 0);
sql("SELECT pgbackup.pin($id[3]); UPDATE pgbackup.backups SET finished_at = now() - interval '50 days' WHERE id = $id[3]");
sql("UPDATE pgbackup.backups SET verified_at = now(), finished_at = now() - interval '40 days' WHERE id = $id[4]");
sql("UPDATE pgbackup.backups SET retain_until = now() + interval '1 day', finished_at = now() - interval '30 days' WHERE id = $id[5]");
sql("UPDATE pgbackup.backups SET finished_at = now() - interval '20 days' WHERE id = $id[6]");
push @id, backup_of_day(10), backup_of_day(9);
restart_settings($node, 'pgbackup.retention_days' => 8, 'pgbackup.retention_minimum' => 2);
my ($locked) = grep { /^$id[5] / } @{ planned() };
like($locked, qr/keep: locked in storage until \d/, 'what the storage has locked stays');
is_deeply([ grep { !/^$id[5] / } @{ planned() } ],
	[ "$id[8] keep: the newest backup of its database",
		"$id[7] keep: among the last 2, which stay whatever their age", "$id[6] delete: no rule keeps it",
		"$id[4] keep: the newest verified backup of its database", "$id[3] keep: pinned" ],
	'the newest, a minimum, the verified and the pinned one stay when the days are over') or diag(explain(planned()));

# A removal that fails stays visible, is tried again, and works in the end.
my $folder = "$store/" . row_of($node, $id[6])->{file_name};
chmod 0500, $folder or die;
is(sql("SELECT action FROM pgbackup.cleanup() WHERE backup_id = $id[6]"), 'is being removed', 'cleanup applies retention');
$node->poll_query_until('postgres', "SELECT attempts > 0 FROM pgbackup.removals WHERE run_id = $id[6]") or die;
is(row_of($node, $id[6])->{status}, 'expired', 'the backup is given up');
my ($refused) = grep { /^$id[6] / } @{ planned() };
like($refused, qr/delete: expired, but its objects could not be removed \(attempt 1\): could not delete .*manifest\.json/,
	'what could not be removed is in the plan, and why; the manifest goes first');
chmod 0700, $folder or die;
sql("UPDATE pgbackup.removals SET not_before = now(); SELECT pgbackup._wake_launcher()");
removed('once the storage lets it');
is_deeply([ grep { /^$id[6] / } @{ planned() } ], [], 'and the plan is silent about it');

# What another cluster has made is not ours to remove, whether the catalog knows that or the storage does.
restart_settings($node, 'pgbackup.retention_minimum' => 1);
sql("UPDATE pgbackup.backups SET system_identifier = '42' WHERE id = $id[7]");
my ($foreign) = grep { /^$id[7] / } @{ planned() };
is($foreign, "$id[7] keep: made by another cluster", 'another cluster\'s backup stays');
sql("UPDATE pgbackup.backups SET system_identifier = (SELECT system_identifier FROM pg_control_system()) WHERE id = $id[7]");
my $manifest = "$store/" . row_of($node, $id[7])->{file_name} . '/manifest.json';
my $own = read_file($manifest);
my $content = $own =~ s/("system_identifier":\s*"?)\d+/${1}42/r;
isnt($content, $own, 'a manifest of another cluster');
unlink $manifest or die;
PostgreSQL::Test::Utils::append_to_file($manifest, $content);
sql('SELECT FROM pgbackup.cleanup()');
$node->poll_query_until('postgres', "SELECT attempts > 0 FROM pgbackup.removals WHERE run_id = $id[7]") or die;
like(sql("SELECT message FROM pgbackup.removals WHERE run_id = $id[7]"), qr/holds the backup of another run/, 'the storage is asked, too');
is(read_file($manifest), $content, 'and nothing is removed');
unlink $manifest or die;
PostgreSQL::Test::Utils::append_to_file($manifest, $own);
sql("UPDATE pgbackup.removals SET not_before = now(); SELECT pgbackup._wake_launcher()");
removed('ours again');

# A part of a database is no substitute for the whole of it.
restart_settings($node, 'pgbackup.retention_days' => 0, 'pgbackup.retention_count' => 1);
my @part = map { backup_of_day(0, ", content => 'schema'") } 1 .. 2;
removed('parts');
is(row_of($node, $part[0])->{status}, 'expired', 'parts count among parts');
is(row_of($node, $id[8])->{status}, 'completed', 'and leave the newest whole backup');

# Copies go along.
my $second = $node->basedir . '/second';
mkdir $second or die;
restart_settings($node, 'pgbackup.storage_copies' => "file://$second");
my $copied = backup_of_day(0);
$node->poll_query_until('postgres', "SELECT status = 'completed' FROM pgbackup.copies WHERE backup_id = $copied") or die;
isnt(scalar(storage_files($second)), 0, 'a copy');
restart_settings($node, 'pgbackup.storage_copies' => '');
push @id, backup_of_day(0);
removed('a backup with a copy');
is_deeply([ storage_files($second) ], [], 'its copy goes along');
is(row_of($node, $copied)->{status}, 'expired', 'and it is expired');

# Suddenly there is little: nothing goes before somebody has looked.
$node->safe_psql('shop', 'DELETE FROM goods WHERE i > 10');
my $small = backup_of_day(0);
$node->poll_query_until('postgres', "SELECT message IS NOT NULL FROM pgbackup.backups WHERE id = $small") or die;
like(row_of($node, $small)->{message}, qr/^suspiciously small: .*bytes, where \d+ kB are usual, so older ones are kept$/, 'a small backup is flagged');
is(row_of($node, $id[9])->{status}, 'completed', 'and the one before is kept');
my ($doubted) = grep { /^$id[9] / } @{ planned() };
is($doubted, "$id[9] keep: the newest backup of its database is suspiciously small", 'the plan says why');
restart_settings($node, 'pgbackup.min_size_ratio' => 0);
sql('SELECT FROM pgbackup.cleanup()');
removed('once that size is trusted');
is(row_of($node, $id[9])->{status}, 'expired', 'the old one goes');
like(slurp_file($node->logfile), qr/WARNING:  pgbackup: backup $small of database "shop" is suspiciously small/, 'the log has warned');

# History has an end.
sql("UPDATE pgbackup.backups SET expired_at = now() - interval '366 days' WHERE id IN ($id[0], $id[1])");
sql('SELECT FROM pgbackup.cleanup()');
is(sql("SELECT count(*) FROM pgbackup.backups WHERE id IN ($id[0], $id[1])"), 0, 'rows that expired long ago are forgotten');
is(row_of($node, $id[2])->{status}, 'expired', 'others stay');

# By hand.
($failed, undef, $why) = $node->psql('postgres', "SELECT pgbackup.delete($id[3], delete_objects => true)");
like($why, qr/backup $id[3] is pinned/, 'a pinned backup is not deleted');
my $kept = "$store/" . row_of($node, $id[4])->{file_name};
sql("SELECT pgbackup.delete($id[4])");
ok(-e "$kept/manifest.json", 'forgetting a backup leaves its objects');
is(sql("SELECT count(*) FROM pgbackup.backups WHERE id = $id[4]"), 0, 'and no row');

# Ten thousand rows.
sql(q{INSERT INTO pgbackup.backups (database, storage, file_name, format, status, schedule, finished_at, raw_size, system_identifier)
	SELECT 'db' || i % 20, 'file:///nowhere', 'f' || i, 'custom', 'completed', 'default', now() - i * interval '1 hour', 1000,
	       (SELECT system_identifier::text FROM pg_control_system())
	  FROM generate_series(1, 10000) i; ANALYZE pgbackup.backups});
for my $call ('pgbackup.retention_plan()', 'pgbackup.list()', q{pgbackup.list('db7')}, q{pgbackup.list(status => 'completed')})
{
	my ($time) = sql("EXPLAIN (ANALYZE, TIMING OFF) SELECT count(*) FROM $call") =~ /Execution Time: (\S+) ms/;
	diag("measured: with 10,000 backups $call takes $time ms");
}
is(sql(q{SELECT count(*) FILTER (WHERE action = 'keep') FROM pgbackup.retention_plan() WHERE database LIKE 'db%'}), 20,
	'ten thousand backups: the last one of each database');

$node->stop;
done_testing();
