# A database that is dropped and created anew under its name is another one: the backups of the former one stay, neither
# expire nor count, and health() names them until somebody has decided. What a restore puts in place is the same one.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('recreated', 'pgbackup.retention_count' => 1, 'pgbackup.min_size_ratio' => 0, 'pgbackup.databases' => '*', 'pgbackup.retry_count' => 0);
my $storage = sql('SHOW pgbackup.storage');

sub sql { return $node->safe_psql('postgres', $_[0]) }

sub create_database
{
	my ($name) = @_;
	sql("CREATE DATABASE $name");
	$node->safe_psql($name, 'CREATE TABLE goods AS SELECT i, md5(i::text) FROM generate_series(1, 100) AS i');
	return oid_of($name);
}

sub oid_of { return sql("SELECT oid FROM pg_database WHERE datname = '$_[0]'") }

sub recreate
{
	my ($name) = @_;
	sql("DROP DATABASE $name");
	return create_database($name);
}

# A backup, with what retention has made of the others.
sub backed_up
{
	my ($name, $title) = @_;
	my $id = start_backup($node, "'$name'");
	is(finished($node, $id), 'completed', $title) or diag(explain(row_of($node, $id)));
	sql("SELECT FROM pgbackup._apply_retention()");
	return $id;
}

sub completed_of { return sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM pgbackup.backups WHERE database = '$_[0]' AND status = 'completed'") }

# What health() says about former databases.
sub named { return sql(qq{SELECT string_agg(r, E'\\n') FROM pgbackup.health() AS h, unnest(h.reasons) AS r WHERE h.database = '$_[0]' AND r LIKE '%of a former database%'}) }

sub reason_of { return sql("SELECT action || ': ' || reason FROM pgbackup.retention_plan() WHERE backup_id = $_[0]") }

# Dropped and created anew.
my $first_oid = create_database('shop');
my @first = (backed_up('shop', 'a backup'));
is(row_of($node, $first[0])->{database_oid}, $first_oid, 'its row has the OID of the database');
is(sql("SELECT manifest->'database'->>'oid' FROM pgbackup.backups WHERE id = $first[0]"), $first_oid, 'and so has its manifest');
is(sql("SELECT (pgbackup.latest('shop')).database_oid"), $first_oid, 'latest() shows it');
is(named('shop'), '', 'nothing is named');
isnt(recreate('shop'), $first_oid, 'the database is another one');
like(named('shop'), qr/^1 backup of a former database of this name is kept until you decide, backup $first[0] of \d{4}-[^:]*:\d\d \w+: SELECT pgbackup\.adopt_database\('shop'\) if it is the same database, pgbackup\.delete\(id\) or pgbackup\.pin\(id\) if not$/,
	'health() names its backup at once');
my @second = map { backed_up('shop', "backup $_ of the new one") } 1 .. 3;
is(completed_of('shop'), "$first[0] $second[2]", 'the former one\'s backup stays, those of the new one expire by the rule');
is(reason_of($first[0]), 'keep: of a former database of this name', 'the plan says why');
is(reason_of($second[2]), 'keep: the newest backup of its database', 'and why the new one\'s stays');
is(sql('SELECT count(*) FROM pgbackup.retention_plan() WHERE reason LIKE \'%former%\''), 1, 'of no other one');
like(named('shop'), qr/^1 backup of a former database of this name is kept until you decide, backup $first[0]/, 'health() still names it');
is(sql(q{SELECT status FROM pgbackup.health() WHERE database = 'shop'}) eq 'healthy' ? 'healthy' : 'not', 'not', 'which is not healthy');

# Without retention the second time as well: two former ones.
recreate('shop');
push my @third, backed_up('shop', 'a third database');
like(named('shop'), qr/^2 backups of a former database of this name are kept until you decide, the newest is backup $second[2] of /, 'both former ones are named');
is(completed_of('shop'), "$first[0] $second[2] $third[0]", 'all stay');

# Ways to decide.
sql("SELECT pgbackup.pin($first[0])");
like(named('shop'), qr/^1 backup of a former database of this name is kept until you decide, backup $second[2] of /, 'what is pinned is decided');
is(reason_of($first[0]), 'keep: pinned', 'as the plan says');
sql("SELECT pgbackup.delete($second[2], true)");
is(named('shop'), '', 'and so is what is deleted');
sql("SELECT pgbackup.pin($first[0], false)");
my ($failed, undef, $why) = $node->psql('postgres', "SELECT pgbackup.adopt_database('nowhere')");
like($why, qr/database "nowhere" does not exist.*DETAIL:  There are no backups of it, either/s, 'a name without a database and backups cannot be adopted');
for (['NULL', 'database'], ["'shop', NULL", 'always'])
{
	(undef, undef, $why) = $node->psql('postgres', "SELECT pgbackup.adopt_database($_->[0])");
	like($why, qr/$_->[1] must not be null/, "$_->[1] is needed");
}
sql("CREATE ROLE helper LOGIN; SELECT pgbackup.grant_access('helper', 'operator')");
(undef, undef, $why) = $node->psql('postgres', "SET ROLE helper; SELECT pgbackup.adopt_database('shop')");
like($why, qr/permission denied for function adopt_database/, 'an operator cannot');
sql("SELECT pgbackup.grant_access('helper', 'admin')");
is($node->safe_psql('postgres', "SET ROLE helper; SELECT pgbackup.adopt_database('shop')"), 1, 'an administrator can, and is told of how many backups');
is(named('shop'), '', 'then nothing is named');
is(reason_of($first[0]), 'delete: no rule keeps it', 'and what was kept goes by the rules');
ok($node->poll_query_until('postgres', "SELECT status = 'expired' FROM pgbackup.backups WHERE id = $first[0]"), 'by itself');
is(completed_of('shop'), $third[0], 'as is usual');

# Every night another one.
create_database('staging');
my @staging = (backed_up('staging', 'staging'));
recreate('staging');
is(sql("SELECT pgbackup.adopt_database('staging', always => true)"), 1, 'it is said to be the same one always');
recreate('staging');
push @staging, backed_up('staging', 'staging anew');
is(named('staging'), '', 'of which nothing is named');
is(completed_of('staging'), $staging[1], 'and whose backups expire as usual');
recreate('staging');
is(sql("SELECT count(*) FROM pgbackup.recreated_databases WHERE database = 'staging' AND decided_by = current_user"), 1, 'the decision is on record');
is(sql("SELECT pgbackup.adopt_database('staging')"), 1, 'the decision is taken back');
is(named('staging'), '', 'the backups that there are stay its own');
recreate('staging');
like(named('staging'), qr/^1 backup of a former/, 'but not those of the next one');
sql('DROP DATABASE staging');

# Restored with replace it is the same one, and also after an undo.
my @replaced = (backed_up('shop', 'a backup to restore'));
my $before = oid_of('shop');
my $restore = start_restore($node, "$replaced[0], 'shop', replace => true");
is(finished($node, $restore), 'completed', 'it is restored in place');
isnt(oid_of('shop'), $before, 'with another OID');
is(named('shop'), '', 'nothing is named');
push @replaced, backed_up('shop', 'a backup of what was restored');
is(completed_of('shop'), $replaced[1], 'retention counts across');
my $undo = sql("SELECT pgbackup.undo_restore($restore)");
is(finished($node, $undo), 'completed', 'the restore is undone');
is(oid_of('shop'), $before, 'the old one is back');
is(named('shop'), '', 'nothing is named');
push @replaced, backed_up('shop', 'a backup after the undo');
is(completed_of('shop'), $replaced[2], 'retention counts across');

# Dropped and restored by pgbackup, too, even if an empty one has been there meanwhile.
recreate('shop');
my $empty = backed_up('shop', 'a backup of one that was created by mistake');
is(completed_of('shop'), "$replaced[2] $empty", 'both stay');
is(finished($node, start_restore($node, "$replaced[2], 'shop', replace => true")), 'completed', 'the former one is restored');
like(named('shop'), qr/^1 backup of a former database of this name is kept until you decide, backup $empty of /, 'the mistaken one is the former one now');
my $continued = backed_up('shop', 'a backup of it');
is(completed_of('shop'), "$empty $continued", 'and retention counts those of the restored one');
sql("SELECT pgbackup.delete($empty, true); DROP DATABASE shop");
is(finished($node, start_restore($node, "$continued, 'shop'")), 'completed', 'a database that was dropped is restored');
is(named('shop'), '', 'it is the same one');

# The home database.
my @home = (backed_up('postgres', 'the home database'));
$restore = start_restore($node, "$home[0], 'postgres', replace => true");
# The swap ends the session that would wait.
ok($node->poll_query_until('postgres', "SELECT status = 'completed' FROM pgbackup.restores WHERE id = $restore"), 'it is restored in place');
$node->poll_query_until('postgres', 'SELECT pgbackup.launcher_pid() IS NOT NULL') or die;
is(named('postgres'), '', 'and is the same one');
push @home, backed_up('postgres', 'a backup of it');
is(completed_of('postgres'), $home[1], 'retention counts across');

# Renamed, and a new one under the old name.
$continued = backed_up('shop', 'shop before it is renamed');
sql('ALTER DATABASE shop RENAME TO old_shop');
is(reason_of($continued), 'keep: the newest backup of its database', 'while there is no database of the name all is as it was');
create_database('shop');
like(named('shop'), qr/backup $continued of /, 'backups of the one that was renamed are named');
is(named('old_shop'), '', 'but not with that one');
my $new = backed_up('shop', 'the new one');
is(completed_of('shop'), "$continued $new", 'and stay');

# A recent backup of a former database is none of this one.
recreate('shop');
restart_settings($node, 'pgbackup.recent_backup_window' => 3600);
my $guarded = start_restore($node, "$new, 'shop', replace => true");
isnt(row_of($node, $guarded, 'restores')->{safety_backup_id}, '', 'what is replaced is backed up first');
is(finished($node, $guarded), 'completed', 'then it is replaced');
restart_settings($node, 'pgbackup.recent_backup_window' => 0);

# Dropped for good: the last one's backups go by the rules, and those of others stay.
sql('DROP DATABASE shop');
my @last = split / /, sql("SELECT string_agg(backup_id::text, ' ' ORDER BY backup_id) FROM pgbackup.retention_plan() WHERE database = 'shop' AND reason = 'of a former database of this name'");
cmp_ok(scalar(@last), '>', 0, 'the plan tells them apart without a database');
is(sql("SELECT pgbackup.adopt_database('shop')"), scalar(@last), 'and they can be adopted');
is(sql("SELECT count(*) FROM pgbackup.retention_plan() WHERE database = 'shop' AND reason LIKE '%former%'"), 0, 'then they are one');

# Backups without an OID, of an older pgbackup, count as before; so does what another cluster has made.
create_database('plain');
my @plain = (backed_up('plain', 'a backup'));
sql("UPDATE pgbackup.backups SET database_oid = NULL WHERE id = $plain[0]");
recreate('plain');
is(named('plain'), '', 'without an OID nothing is named');
push @plain, backed_up('plain', 'a backup of the next one');
is(completed_of('plain'), $plain[1], 'and what there was has expired');
recreate('plain');
sql("UPDATE pgbackup.backups SET system_identifier = '42' WHERE id = $plain[1]");
is(named('plain'), '', 'OIDs of another cluster say nothing');
is(reason_of($plain[1]), 'keep: made by another cluster', 'as the plan says');

# import() takes it from the manifest. What was decided is in a dump of the home database.
my %oids = map { split /\|/ } split /\n/, sql(q{SELECT file_name, database_oid FROM pgbackup.backups WHERE status = 'completed' AND database_oid IS NOT NULL});
sql("SELECT pgbackup.adopt_database('dumped', always => true)");
my $joined = sql('SELECT count(*) FROM pgbackup.database_oids');
my $dump = $node->basedir . '/home.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ], 'the home database is dumped');
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
sql('DROP EXTENSION pgbackup');
$node->command_ok([ 'psql', '-X', '-q', '-o', '/dev/null', '-d', $node->connstr('postgres'), '-f', $dump ], 'and restored');
is(sql("SELECT pgbackup.adopt_database('dumped', always => true), (SELECT count(*) FROM pgbackup.database_oids)"), "0|$joined", 'with what was decided');
$node->poll_query_until('postgres', 'SELECT pgbackup.launcher_pid() IS NOT NULL') or die;
cmp_ok(sql("SELECT pgbackup.import('$storage')"), '>', 3, 'backups are imported');
my %imported = map { split /\|/ } split /\n/, sql('SELECT file_name, database_oid FROM pgbackup.backups WHERE database_oid IS NOT NULL');
is($imported{$_}, $oids{$_}, "import() keeps the OID of $_") for sort keys %oids;
is(named('shop'), '', 'nothing is named');

$node->stop;
done_testing();
