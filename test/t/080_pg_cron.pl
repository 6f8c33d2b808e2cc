# pg_cron, which can be created in one database only: it comes back with its jobs, last, where that is possible,
# and keeps nothing else from being restored where it is not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('cron', 'pgbackup.parallel_threshold' => 0);
plan skip_all => 'pg_cron is not installed'
  if $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_cron'}) eq '0';
my $store = $node->basedir . '/store';
$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', q{'pgbackup,pg_cron'});
$node->append_conf('postgresql.conf', "cron.database_name = 'shop'\ncron.launch_active_jobs = off");
$node->restart;

sub value { return $node->safe_psql('postgres', $_[0]) }
sub restore_row { return row_of($node, $_[0], 'restores') }

value('CREATE DATABASE shop');
$node->safe_psql('shop', q{
	CREATE EXTENSION pg_cron;
	CREATE TABLE t (a int PRIMARY KEY);
	INSERT INTO t SELECT generate_series(1, 1000);
	CREATE VIEW jobs AS SELECT jobname, schedule FROM cron.job;
	SELECT cron.schedule('nightly', '0 3 * * *', 'VACUUM')});
my $state = q{SELECT (SELECT count(*) FROM t), (SELECT string_agg(concat_ws(' ', jobname, schedule, command, database), ', ') FROM cron.job), (SELECT count(*) FROM jobs),
	(SELECT nextval('cron.jobid_seq'))};
my $left_out = qr/extension "pg_cron" and what depends on it were left out: pg_cron can be created in database "shop" only, which cron\.database_name names/;

# pg_cron's scheduler has a session in the database that it works for, and comes back when that is ended.
sub without_sessions
{
	my ($sql) = @_;
	my $until = time + $PostgreSQL::Test::Utils::timeout_default;
	while (time < $until)
	{
		value(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop'});
		my ($status, undef, $error) = $node->psql('postgres', $sql);
		return if $status == 0;
		die $error unless $error =~ /is being accessed by other users/;
	}
	die "sessions in the database do not end: $sql";
}

# The restore is complete with its swap, pg_cron a moment later.
sub await_last
{
	my ($restore) = @_;
	$node->poll_query_until('postgres', "SELECT coalesce(message, '') !~ 'so it comes last' FROM pgbackup.restores WHERE id = $restore") or die;
	return;
}

for my $format ('custom', 'parallel')
{
	my $id = start_backup($node, "'shop', format => '$format'");
	is(finished($node, $id), 'completed', "$format: a backup");
	my $row = row_of($node, $id);
	is("$row->{message}, $row->{detail}", ', A restore under another name leaves out extension "pg_cron", which can be created only in the database "shop".',
		"$format: says what only its own database gets, without a warning");
	my $restore = start_restore($node, "$id, 'shop', replace => true");
	is(finished($node, $restore), 'completed', "$format: takes the place of the database") or diag(explain(restore_row($restore)));
	await_last($restore);
	is($node->safe_psql('shop', $state), '1000|nightly 0 3 * * * VACUUM shop|1|2', "$format: with the jobs, and a view of them");
	unlike(restore_row($restore)->{message}, qr/pg_cron/, "$format: without a remark");
	isnt(value("SELECT pgbackup.undo_restore($restore)"), '', "$format: it can be undone");
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pgbackup.restores WHERE status IN ('pending', 'in_progress')}) or die;
	is($node->safe_psql('shop', 'SELECT count(*) FROM cron.job'), 1, "$format: which brings the jobs back, too");

	$restore = start_restore($node, "$id, 'other'");
	is(finished($node, $restore), 'completed', "$format: under another name") or diag(explain(restore_row($restore)));
	like(restore_row($restore)->{message}, $left_out, "$format: it is left out, with a remark");
	is($node->safe_psql('other', q{SELECT (SELECT count(*) FROM t), to_regclass('jobs')}), '1000|', "$format: the rest is there");
	value('DROP DATABASE other');

	my $dry = start_restore($node, "$id, 'other', dry_run => true");
	is(finished($node, $dry), 'completed', "$format: a dry run") or diag(explain(restore_row($dry)));
	like(restore_row($dry)->{detail} . restore_row($dry)->{message}, $left_out, 'says so beforehand');
	$dry = start_restore($node, "$id, 'shop', replace => true, dry_run => true");
	is(finished($node, $dry), 'completed', "$format: a dry run in place");
	like(restore_row($dry)->{detail} . restore_row($dry)->{message}, qr/extension "pg_cron" and what depends on it can be created only in the database "shop", so it comes last/,
		'says when it comes');

	my $proof = value("SELECT pgbackup.verify($id, 'restore')");
	is(finished($node, $proof), 'completed', "$format: a verification") or diag(explain(restore_row($proof)));
	like(restore_row($proof)->{message}, qr/extension "pg_cron" and what depends on it were left out: a verification gives no database its name/, 'leaves it out and says so');

	$restore = start_restore($node, "$id, 'part', tables => '{public.t}'");
	is(finished($node, $restore), 'completed', "$format: a part without it");
	unlike(restore_row($restore)->{message}, qr/pg_cron/, 'has nothing to say of it');
	value('DROP DATABASE part');

	# The server is gone: the command line makes the database anew.
	without_sessions('ALTER DATABASE shop RENAME TO lost');
	my ($status, $out, $err) = pgbackup($node, 'restore', $id, '--storage', "file://$store", '-h', $node->host, '-p', $node->port, '--target-database', 'shop');
	is($status, 0, "$format: on the command line") or diag($err);
	is($node->safe_psql('shop', $state), '1000|nightly 0 3 * * * VACUUM shop|1|2', "$format: with the jobs, too");
	without_sessions('DROP DATABASE shop');
	value('ALTER DATABASE lost RENAME TO shop');
}

my $plain = start_backup($node, q{'shop', format => 'plain'});
is(finished($node, $plain), 'completed', 'plain: a backup');
like(row_of($node, $plain)->{message}, qr/^not all of the database may come back in a restore: extension "pg_cron" can be created only when the database has its name, which a script cannot wait for$/,
	'plain: warns');

# It cannot be created when its turn comes: everything else has its name by then.
my $id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'one more backup');
$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', q{'pgbackup'});
$node->adjust_conf('postgresql.conf', 'cron.database_name', undef);
$node->adjust_conf('postgresql.conf', 'cron.launch_active_jobs', undef);
$node->restart;
my $restore = start_restore($node, "$id, 'later'");
is(finished($node, $restore), 'completed', 'a server that does not preload it') or diag(explain(restore_row($restore)));
await_last($restore);
like(restore_row($restore)->{message}, qr/extension "pg_cron" and what depends on it were left out: .*pg_cron/, 'says what the server says');
is($node->safe_psql('later', 'SELECT count(*) FROM t'), 1000, 'and has the rest');

$node->stop;
done_testing();
