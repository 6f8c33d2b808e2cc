# After pg_upgrade the cluster has another system identifier and another data directory. Its catalog has come along, and
# so its backups are its own: as soon as somebody has said that the old server is gone, retention goes on with them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use File::Path qw(make_path);
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $store = PostgreSQL::Test::Utils::tempdir() . '/store';
mkdir $store or die "$store: $!";
my %settings = ('pgbackup.storage' => "file://$store", 'pgbackup.databases' => 'shop', 'pgbackup.retry_count' => 0);
my $old = new_cluster('old', %settings);
my $bin = $old->config_data('--bindir');
plan skip_all => "$bin has no pg_upgrade" unless -x "$bin/pg_upgrade";

sub completed
{
	my ($node, $title) = @_;
	my $id = start_backup($node, q{'shop'});
	is(finished($node, $id), 'completed', $title) or diag(explain(row_of($node, $id)));
	return $id;
}

sub reasons { return $_[0]->safe_psql('postgres', q{SELECT array_to_string(reasons, E'\n') FROM pgbackup.health() LIMIT 1}) }

sub system_of { return $_[0]->safe_psql('postgres', 'SELECT system_identifier FROM pg_control_system()') }

# The next server, with what `node` has.
sub upgraded
{
	my ($node, $name) = @_;
	my $new = PostgreSQL::Test::Cluster->new($name);
	$new->init;
	my %all = ('shared_preload_libraries' => 'pgbackup', 'pgbackup.schedule' => '', 'pgbackup.verify_schedule' => '', 'pgbackup.recent_backup_window' => 0,
		%settings);
	$new->append_conf('postgresql.conf', "$_ = '$all{$_}'") for sort keys %all;
	$node->stop;
	my $work = PostgreSQL::Test::Utils::tempdir();
	my ($out, $err) = run_command([ 'sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', $work, "$bin/pg_upgrade", '-b', $bin, '-B', $bin,
		'-d', $node->data_dir, '-D', $new->data_dir, '-s', $node->host, '-p', $node->port, '-P', $new->port, '-U', scalar getpwuid($<) ]);
	like($out, qr/Upgrade Complete/, "pg_upgrade makes $name") or diag("$out\n$err");
	$new->start;
	return $new;
}

$old->safe_psql('postgres', 'CREATE DATABASE shop');
$old->safe_psql('shop', 'CREATE TABLE t AS SELECT n, md5(n::text) FROM generate_series(1, 1000) AS n');
my @ids = map { completed($old, "backup $_ of the old server") } 1 .. 3;
my $token = $old->safe_psql('postgres', 'SELECT token FROM pgbackup.instance');
my $system = system_of($old);
$old->safe_psql('postgres', q{SELECT pgbackup.schedule('weekly', '30 3 * * 0', label => 'full')});

my $new = upgraded($old, 'new');
isnt(system_of($new), $system, 'the system identifier is another one');
is($new->safe_psql('postgres', 'SELECT token FROM pgbackup.instance'), $token, 'the catalog is the same');
is($new->safe_psql('postgres', q{SELECT string_agg(id::text, ',' ORDER BY id) FROM pgbackup.list(status => 'completed')}), join(',', @ids), 'with its backups');
is($new->safe_psql('postgres', q{SELECT enabled FROM pgbackup.schedules WHERE name = 'weekly'}), 't', 'and schedules');

# They can be used, and nothing is removed before somebody has said that the old server is gone: it might be a trial.
is(finished($new, $new->safe_psql('postgres', "SELECT pgbackup.verify($ids[0], 'restore')")), 'completed', 'an older backup is proved');
is(finished($new, start_restore($new, "$ids[1], 'again'")), 'completed', 'and restored');
is($new->safe_psql('again', 'SELECT count(*) FROM t'), 1000, 'with its rows');
restart_settings($new, 'pgbackup.retention_count' => 2);
my @files = storage_files($store);
push @ids, completed($new, 'the new server makes backups');
is($new->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.backups WHERE status = 'expired'}), 0, 'its retention removes nothing yet');
is(scalar(grep { my $file = $_; !grep { $_ eq $file } storage_files($store) } @files), 0, 'and nothing is gone');
like(reasons($new), qr/take_over_storage\(\)/, 'health() says what to do');
is($new->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.retention_plan() WHERE reason LIKE '%made by another cluster%'}), 0,
	'no backup counts as another cluster\'s');

is($new->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.take_over_storage()'), 1, 'then it takes the storage over');
push @ids, completed($new, 'and makes a backup');
$new->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pgbackup.backups WHERE status = 'expired'}) or die;
$new->poll_query_until('postgres', q{SELECT count(*) = 0 OR max(attempts) > 0 FROM pgbackup.removals}) or die;
is($new->safe_psql('postgres', 'SELECT max(message) FROM pgbackup.removals'), '', 'what the old server has written is removed');
# The proved one stays beside the last two.
is($new->safe_psql('postgres', q{SELECT string_agg(id::text, ',' ORDER BY id) FROM pgbackup.backups WHERE status = 'completed'}), "$ids[0],$ids[3],$ids[4]",
	'by the rules');
is(scalar(grep { m{/manifest\.json$} } storage_files($store)), 3, 'from the storage, too');
unlike(reasons($new), qr/copy of another|take_over/, 'and health() has nothing against it');

# The next version.
my $newest = upgraded($new, 'newest');
restart_settings($newest, 'pgbackup.retention_count' => 1);
$newest->poll_query_until('postgres', 'SELECT cardinality(system_identifiers) = 3 FROM pgbackup.instance') or die;
$newest->safe_psql('postgres', 'SELECT pgbackup.take_over_storage()');
push @ids, completed($newest, 'after another upgrade');
$newest->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pgbackup.removals}) or die;
is($newest->safe_psql('postgres', q{SELECT string_agg(id::text, ',' ORDER BY id) FROM pgbackup.backups WHERE status = 'completed'}), "$ids[0],$ids[5]",
	'the backups of both are its own');
is(scalar(grep { m{/manifest\.json$} } storage_files($store)), 2, 'in the storage, too');
$newest->stop;
done_testing();
