# What a DBA and a monitor see: notifications, levels of access, the audit, health while things go wrong,
# metrics and the page.
use strict;
use warnings;

use FindBin;
use IPC::Run;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('operate', 'log_statement' => 'none');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE TABLE orders AS SELECT n, md5(n::text) AS note FROM generate_series(1, 5000) AS n');

# Each change of a run's status reaches those who listen.
my ($in, $heard) = ("LISTEN pgbackup;\n", '');
my $listener = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$heard,
	IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
$in .= "SELECT 'listening';\n";
$listener->pump until $heard =~ /listening/;
my $id = start_backup($node, q{'shop', label => 'of "today" & <more>'});
is(finished($node, $id), 'completed', 'a backup completes');
# psql shows what it has heard behind the answer to a query.
while ($heard !~ /"status": "completed"/)
{
	my $answers = () = $heard =~ /^answer$/mg;
	$in .= "SELECT 'answer';\n";
	$listener->pump until $answers < (() = $heard =~ /^answer$/mg);
}
my @told = $heard =~ /Asynchronous notification "pgbackup" with payload "(\{.*?\})" received/g;
is_deeply([ map { /"status": "(\w+)"/ } grep { /"id": $id\b/ } @told ], [qw(pending in_progress completed)],
	'pending, in_progress and completed are notified, in this order')
  or diag($heard);
is($told[-1], qq({"id": $id, "kind": "backup", "status": "completed"}), 'and nothing else, which any role could hear');
is(join('', @{ row_of($node, $id) }{qw(clock_skew credentials_expire_at)}), '', 'a directory has neither clock nor credentials');
$in .= "\\q\n";
$listener->finish;

# Levels: who may what.
$node->safe_psql('postgres', "CREATE ROLE $_ LOGIN; SELECT pgbackup.grant_access('$_', '$_')") for qw(viewer operator admin);

sub as_role
{
	my ($role, $sql) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $sql, extra_params => [ '-U', $role ]);
	return ($code, $out, $err);
}
my $log_start = -s $node->logfile;
for my $case (
	[ viewer => 'SELECT count(*) FROM pgbackup.list()', '' ],
	[ viewer => "SELECT pgbackup.wait($id)", '' ],
	[ viewer => 'SELECT count(*) FROM pgbackup.metrics', '' ],
	[ viewer => "CALL pgbackup.run('shop')", 'permission denied' ],
	[ viewer => "SELECT pgbackup.pin($id)", 'permission denied' ],
	[ viewer => "UPDATE pgbackup.backups SET pinned = true", 'permission denied' ],
	[ operator => "CALL pgbackup.run('shop')", '' ],
	[ operator => "SELECT pgbackup.pin($id)", '' ],
	[ operator => "SELECT pgbackup.pin($id, false)", 'permission denied to unpin' ],
	[ admin => "SELECT pgbackup.pin($id, false)", '' ],
	[ operator => "SELECT pgbackup.delete($id)", 'permission denied' ],
	[ operator => "CALL pgbackup.run_restore($id, 'stolen')", 'permission denied' ],
	[ operator => "SELECT pgbackup.create('shop', storage => 'file://$store/other')", 'permission denied to choose a storage' ],
	[ operator => "SELECT pgbackup._ask_janitor('file:///', 0, NULL, NULL)", 'permission denied' ],
	[ admin => "CALL pgbackup.run_restore($id, 'shop_again')", '' ],
	[ admin => "CALL pgbackup.run('shop', storage => 'file://$store/other')", '' ],
	[ admin => "SELECT pgbackup.grant_access('viewer', 'admin')", 'permission denied' ])
{
	my ($role, $sql, $refused) = @$case;
	my ($code, $out, $err) = as_role($role, $sql);
	if ($refused) { like($err, qr/ERROR:\s+$refused/, "$role may not: $sql") }
	else { is($code, 0, "$role may: $sql") or diag($err) }
}
my $log = slurp_file($node->logfile, $log_start);
like($log, qr/role "operator" \(session of "operator"\) asks to back up database "shop"/, 'the log tells who started a backup');
like($log, qr/role "admin" .* asks to restore backup $id into database "shop_again"/, 'and who restored one');
is($node->safe_psql('postgres', q{SELECT created_by FROM pgbackup.list('shop') WHERE status = 'completed' LIMIT 2}),
	"admin\noperator", 'and so does the catalog');

# Health, while things go wrong.
sub reasons
{
	return $node->safe_psql('postgres', q{SELECT status, reasons FROM pgbackup.health() WHERE database = 'shop'});
}
is(reasons(), 'healthy|{}', 'a database with a new backup is healthy');
like($node->safe_psql('postgres', q{SELECT status, reasons FROM pgbackup.health() WHERE database = 'postgres'}),
	qr/^critical\|.*there is no backup/, 'one without is not');

my $slow = slow_programs($node);
restart_settings($node, 'pgbackup.bin_directory' => $slow, 'pgbackup.max_xmin_age' => 50);
my $held = start_backup($node, "'shop'");
wait_for_file("$slow/reached");
$node->safe_psql('postgres', join ';', ('SELECT pg_current_xact_id()') x 60);
like(reasons(), qr/warning\|.*backup $held holds back vacuum by \d+ transactions/, 'a dump that holds back vacuum is a warning');
is($node->safe_psql('postgres', q{SELECT running FROM pgbackup.health() WHERE database = 'shop'}), 't', 'and it is seen to run');
like($node->safe_psql('postgres', 'SELECT pgbackup.dashboard()'), qr/<progress max="100"/, 'the page shows its progress');
append_to_file("$slow/go", '');
is(finished($node, $held), 'completed', 'it completes');
is(reasons(), 'healthy|{}', 'and all is well again');

$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pgbackup.launcher_pid())');
ok($node->poll_query_until('postgres',
		q{SELECT reasons::text ~ 'the launcher does not run' AND status = 'critical' FROM pgbackup.health() WHERE database = 'shop'}),
	'health tells that the launcher does not run, while it does not');
ok($node->poll_query_until('postgres', q{SELECT status = 'healthy' FROM pgbackup.health() WHERE database = 'shop'}),
	'and that it does again');

# A session of the run is ended: that is not the storage's doing.
unlink "$slow/reached", "$slow/go";
$held = start_backup($node, "'shop'");
wait_for_file("$slow/reached");
$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgbackup backup $held%' AND state = 'idle in transaction'");
is(finished($node, $held), 'failed', 'a backup whose session is ended fails');
is(row_of($node, $held)->{sqlstate}, '08003', 'with a SQLSTATE that is not the storage\'s');
like(reasons(), qr/the last backup failed: the connection/, 'health tells it');
unlike(reasons(), qr/storage/, 'and does not blame the storage');
append_to_file("$slow/go", '');
is(finished($node, start_backup($node, "'shop'")), 'completed', 'the next one completes');

# The storage goes away.
rename "$store", "$store.away" or die $!;
append_to_file($store, 'not a directory');
is(finished($node, start_backup($node, "'shop'")), 'failed', 'a backup fails when the storage is away');
like(reasons(), qr/^warning\|.*the last backup failed: /, 'health tells it');
unlink $store;
rename "$store.away", $store or die $!;

# Numbers for Prometheus.
my $metrics = $node->safe_psql('postgres', 'SELECT pgbackup.metrics_text()');
like($metrics, qr/^# TYPE pgbackup_last_success_timestamp_seconds gauge\npgbackup_last_success_timestamp_seconds\{database="shop"\} \d+/m,
	'the time of the last success is a series');
like($metrics, qr/^pgbackup_runs\{database="shop",status="completed"\} 5$/m, 'the runs are counted');
my %seen;
$seen{$_}++ for grep { !/^#/ } map { s/ \S+$//r } split /\n/, $metrics;
is_deeply([ grep { $seen{$_} > 1 } keys %seen ], [], 'no series is there twice');

$node->stop;
done_testing();
