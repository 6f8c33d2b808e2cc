# A long history costs no more than a short one: what a backup makes the launcher do, health(), metrics and the page
# read as many pages with four times as many backups. Retention planned for one database decides what it decides for
# all; sweeps apply changed rules by themselves; totals are right at any moment.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Without its home database the launcher is in nobody's way.
my $node = new_cluster('history', 'pgbackup.home_database' => 'elsewhere', autovacuum => 'off', allow_system_table_mods => 'on', jit_above_cost => 0);
sub sql { return $node->safe_psql('postgres', $_[0]) }

# Random catalogs of four databases: with parts, several schedules, equal times, and whatever keeps a backup.
sub random_catalog
{
	my ($seed) = @_;
	return sql(qq{
		SELECT setseed(0.$seed); TRUNCATE pgbackup.backups, pgbackup.restores, pgbackup.database_oids, pgbackup.recreated_databases CASCADE;
		INSERT INTO pgbackup.backups (database, storage, format, file_name, status, schedule, finished_at, raw_size, pinned,
		                              verified_at, retain_until, system_identifier, database_oid, options)
		SELECT 'db' || trunc(random() * 4), 'file:///nowhere', 'custom', 'f' || i,
		       CASE WHEN random() < 0.4 THEN 'completed' WHEN random() < 0.8 THEN 'expired' ELSE 'failed' END,
		       CASE WHEN random() < 0.5 THEN 'often' WHEN random() < 0.6 THEN 'rare' END,
		       CASE WHEN random() < 0.98 THEN now() - trunc(random() * 100) * interval '12 hours' - trunc(random() * 3) * interval '0.4 s' END,
		       CASE WHEN random() < 0.9 THEN trunc(1000 * power(random(), 3)) END, random() < 0.05,
		       CASE WHEN random() < 0.2 THEN now() END, CASE WHEN random() < 0.1 THEN now() + (random() - 0.5) * interval '1 day' END,
		       CASE WHEN random() < 0.9 THEN (SELECT system_identifier::text FROM pg_control_system()) ELSE '42' END,
		       CASE WHEN random() < 0.9 THEN 90000 + trunc(power(random(), 3) * 4)::int END,
		       CASE WHEN random() < 0.7 THEN '{}' WHEN random() < 0.5 THEN '{"content": "schema"}' ELSE '{"tables": ["a"]}' END::jsonb
		  FROM generate_series(1, 400) AS i;
		INSERT INTO pgbackup.recreated_databases (database) VALUES ('db3');
		INSERT INTO pgbackup.database_oids (database, oid, system_identifier, same_as)
		SELECT 'db' || d, 90000 + o, system_identifier, 90000 + d FROM pg_control_system(), generate_series(1, 2) AS d, generate_series(0, 1) AS o;
		INSERT INTO pgbackup.restores (backup_id, database, target_database)
		SELECT id, database, 'x' FROM pgbackup.backups WHERE status = 'completed' AND random() < 0.05;
		UPDATE pgbackup.restores SET status = 'cancelled' WHERE random() < 0.5;
		INSERT INTO pgbackup.copies (backup_id, storage, status, file_size)
		SELECT id, 'file:///copy', CASE WHEN random() < 0.3 THEN 'in_progress' ELSE 'completed' END, 7
		  FROM pgbackup.backups WHERE status = 'completed' AND random() < 0.1});
}

sql(q{INSERT INTO pgbackup.named_schedules (name, cron, retention_count) VALUES ('rare', '0 0 1 1 *', 3)});
my %reasons;
# The rules of the settings, these and no others.
sub rule
{
	my ($rules) = @_;
	restart_settings($node, map({ ("pgbackup.retention_$_" => 0) } qw(count days daily weekly monthly yearly)), 'pgbackup.retention_minimum' => 1,
		map { my ($rule, $value) = split /=/; ("pgbackup.retention_$rule" => $value) } split / /, $rules);
	return;
}
for my $rules ('', 'count=5', 'days=20 minimum=3', 'daily=7 weekly=4 monthly=2 yearly=1')
{
	rule($rules);
	for my $seed (1 .. 3)
	{
		random_catalog($seed);
		is(sql(q{
			WITH whole AS (SELECT * FROM pgbackup._plan_retention()),
			parts AS (SELECT p.* FROM (SELECT DISTINCT database FROM pgbackup.backups) AS d, LATERAL pgbackup._plan_retention(d.database) AS p)
			SELECT count(*) > 100, (SELECT count(*) FROM parts) = count(*),
			       (SELECT count(*) FROM (SELECT * FROM whole EXCEPT SELECT * FROM parts) AS x) FROM whole}),
			't|t|0', "catalog $seed, rules '$rules': database by database, the plan is the same");
		$reasons{$_} = 1 for split /\n/, sql(q{SELECT DISTINCT regexp_replace(reason, '(until|small:).*|\d+', '') FROM pgbackup._plan_retention()});
	}
}
cmp_ok(scalar(keys %reasons), '>=', 16, 'by every reason there is') or diag(join "\n", sort keys %reasons);

# Totals: with and without marks, whatever happens to a row.
my $differing = q{
	WITH counted AS (SELECT n.* FROM (SELECT DISTINCT database FROM pgbackup.backups) AS d, LATERAL pgbackup._count_backups(d.database) AS n)
	SELECT (SELECT count(*) FROM counted), (SELECT count(*) FROM (
	           (SELECT * FROM counted EXCEPT SELECT * FROM pgbackup._current_totals())
	            UNION ALL (SELECT * FROM pgbackup._current_totals() EXCEPT SELECT * FROM counted)) AS x)};
is(sql($differing), '4|0', 'numbers are right before they are counted');
is(sql('SELECT pgbackup._recount_changed(10); SELECT count(*) FROM pgbackup._changes'), "4\n0", 'they are counted');
is(sql($differing), '4|0', 'and right');
for my $change ("UPDATE pgbackup.backups SET file_size = 12 WHERE database = 'db1'", "UPDATE pgbackup.backups SET database = 'db9' WHERE database = 'db2'",
	q{UPDATE pgbackup.backups SET storage = 's3://other' WHERE database = 'db9'}, q{UPDATE pgbackup.backups SET status = 'expired' WHERE status = 'completed' AND database = 'db3' AND id % 2 = 0},
	q{DELETE FROM pgbackup.copies WHERE id % 2 = 0}, q{UPDATE pgbackup.copies SET storage = 'file:///elsewhere' WHERE id % 3 = 0}, q{DELETE FROM pgbackup.backups WHERE database = 'db0' AND id % 2 = 0})
{
	sql($change);
	is(sql($differing), '4|0', "after $change");
	sql('SELECT pgbackup._recount_changed(10)') if $change =~ /^DELETE/;
	is(sql($differing), '4|0', 'after counting') if $change =~ /^DELETE/;
}
sql('TRUNCATE pgbackup.backups CASCADE');
is(sql('SELECT count(*) FROM pgbackup._current_totals()'), 0, 'after all are gone');

# Two transactions that have changed the same database wait neither for each other nor for the launcher.
sql(q{INSERT INTO pgbackup.backups (database, storage, format, status) SELECT 'db1', 'file:///x', 'custom', 'failed' FROM generate_series(1, 3)});
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN; DELETE FROM pgbackup.backups WHERE id = (SELECT min(id) FROM pgbackup.backups)');
sql(q{SET lock_timeout = '1s'; DELETE FROM pgbackup.backups WHERE id = (SELECT max(id) FROM pgbackup.backups)});
sql(q{SET lock_timeout = '1s'; SELECT pgbackup._recount_changed(10)});
is(sql('SELECT failed FROM pgbackup._totals'), 2, 'what is not committed is not counted');
$session->query_safe('COMMIT');
$session->quit;
is(sql('SELECT failed FROM pgbackup._current_totals()'), 1, 'and when it is, it is');

# What it costs, in pages.
sub fill
{
	my ($databases, $backups) = @_;
	command_ok([ 'psql', '-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-v', "databases=$databases", '-v', "backups=$backups",
			'-d', $node->connstr('postgres'), '-f', fixture('../bench/catalog.sql') ], "$databases databases with $backups backups");
	return;
}
sub pages
{
	my ($call) = @_;
	my $plan = sql("SELECT $call; EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT $call");
	my ($buffers) = $plan =~ /Buffers: shared (.*)/ or die $plan;
	my $pages = 0;
	$pages += $1 while $buffers =~ /(?:hit|read)=(\d+)/g;
	return $pages;
}
sub same_cost
{
	my ($title, $few, $many) = @_;
	cmp_ok($many, '<', 1.5 * $few + 20, "$title: $few pages, with four times as much $many");
	return;
}

rule('count=1000');
my %of_database = (
	'planning' => q{(SELECT count(*) FROM pgbackup._plan_retention('db_7'))},
	'retention after a backup' => q{(SELECT count(*) FROM pgbackup._retain('db_7', 10))},
	'counting' => q{pgbackup._recount('db_7')});
fill(150, 40);
my %few = map { $_ => pages($of_database{$_}) } keys %of_database;
fill(600, 40);
same_cost("$_, by databases", $few{$_}, pages($of_database{$_})) for sort keys %of_database;

my %of_all = (
	'health()' => '(SELECT count(*) FROM pgbackup.health())',
	'metrics_text()' => 'length(pgbackup.metrics_text())',
	'dashboard()' => 'length(pgbackup.dashboard())',
	'old rows' => 'pgbackup._forget_expired(100)',
	'schedules' => '(SELECT count(*) FROM pgbackup._sync_schedules(now()))',
	'what has changed' => 'pgbackup._recount_changed(2)');
restart_settings($node, 'pgbackup.schedule' => '0 * * * *');
fill(30, 40);
%few = map { $_ => pages($of_all{$_}) } keys %of_all;
fill(30, 160);
same_cost("$_, by backups", $few{$_}, pages($of_all{$_})) for sort keys %of_all;
my $whole = q{(SELECT count(*) FROM pgbackup._plan_retention())};
cmp_ok(pages($whole), '>', 3 * pages($of_database{planning}), 'a whole plan is seen to cost more');

# A changed rule applies by itself, to databases that are not backed up any more as well. One that fails is in no
# other one's way, and health() says so.
restart_settings($node, 'pgbackup.schedule' => '');
rule('');
sql(q{TRUNCATE pgbackup.backups CASCADE; DELETE FROM pgbackup.named_schedules; DELETE FROM pg_database WHERE datname LIKE 'db\_%';
	INSERT INTO pgbackup.backups (database, storage, format, file_name, status, finished_at, raw_size, system_identifier)
	SELECT d, 'file:///nowhere', 'custom', d || i, 'completed', now() - i * interval '1 hour', 1000, (SELECT system_identifier::text FROM pg_control_system())
	  FROM unnest('{aaa,bad,zzz}'::text[]) AS d, generate_series(1, 25) AS i;
	CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused row of bad'; END$$;
	CREATE TRIGGER refuse BEFORE UPDATE ON pgbackup.backups FOR EACH ROW WHEN (NEW.database = 'bad') EXECUTE FUNCTION public.refuse()});
$node->append_conf('postgresql.conf', 'pgbackup.home_database = postgres');
$node->restart;
$node->poll_query_until('postgres', 'SELECT pgbackup.launcher_pid() IS NOT NULL') or die;
rule('count=2');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 4 FROM pgbackup.backups WHERE database IN ('aaa', 'zzz') AND status = 'completed'}),
	'a changed rule applies by itself');
is(sql(q{SELECT count(*) FROM pgbackup.backups WHERE database = 'bad' AND status = 'completed'}), 25, 'what fails has not changed');
like(sql('SELECT message FROM pgbackup._launcher_trouble()'), qr/refused row of bad/, 'which the launcher reports');
sql('DROP TRIGGER refuse ON pgbackup.backups');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pgbackup.backups WHERE database = 'bad' AND status = 'completed'}),
	'and tries again');
ok($node->poll_query_until('postgres', 'SELECT message IS NULL FROM pgbackup._launcher_trouble()'), 'and then is well');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pgbackup._changes}), 'what has changed is counted');
is(sql(q{SELECT string_agg(format('%s %s %s', database, completed, expired), ', ' ORDER BY database) FROM pgbackup._totals}),
	'aaa 2 23, bad 2 23, zzz 2 23', 'rightly');
my @told = slurp_file($node->logfile) =~ /retention gives up (\d+) backups?$/mg;
my $sum = 0;
$sum += $_ for @told;
is($sum, 69, 'the log says how many were given up');
cmp_ok(scalar(@told), '<', 10, 'in few lines');

$node->stop;
done_testing();
