# What the tests that kill restores share: what a database holds, as one value, when a restore is about to
# swap, killing a server with everything it has started, and what may be left afterwards.
package RestoreKilled;

use strict;
use warnings;

use Exporter 'import';
use PgBackup;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(fingerprint databases await_removals drop_kept server_processes await_restoring await_analyze kill_server);

# What a database holds: rows, definitions and what belongs to the database itself, but for what pgbackup
# has recorded there.
sub fingerprint
{
	my ($node, $database) = @_;
	return $node->safe_psql($database, q{
		SELECT md5(string_agg(part, '|' ORDER BY part COLLATE "C")) FROM (
		  SELECT c.oid::regclass || ' ' || query_to_xml(format('SELECT count(*), sum(hashtextextended(t::text, 0)) FROM %s t', c.oid::regclass), true, true, '')
		    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		   WHERE relkind IN ('r', 'm') AND nspname NOT IN ('pg_catalog', 'information_schema', 'pgbackup')
		  UNION ALL SELECT pg_get_indexdef(indexrelid) || indisvalid FROM pg_index JOIN pg_class c ON c.oid = indrelid
		   WHERE c.oid >= 16384 AND relnamespace::regnamespace::text !~ '^(pg_toast|pgbackup)'
		  UNION ALL SELECT format('%s %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated)
		    FROM pg_constraint WHERE conrelid >= 16384 AND connamespace::regnamespace::text <> 'pgbackup'
		  UNION ALL SELECT format('%s %s %s', oid::regclass, pg_get_userbyid(relowner), relacl) FROM pg_class
		   WHERE oid >= 16384 AND relnamespace::regnamespace::text !~ '^(pg_toast|pgbackup)'
		  UNION ALL SELECT pg_get_viewdef(oid) FROM pg_class WHERE relkind = 'v' AND relnamespace::regnamespace::text ~ 'sales'
		  UNION ALL SELECT format('%s %s %s %s %s', datallowconn, datconnlimit, pg_get_userbyid(datdba), datacl, shobj_description(oid, 'pg_database'))
		    FROM pg_database WHERE datname = current_database()
		  UNION ALL SELECT setconfig::text FROM pg_db_role_setting
		   WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())) AS p (part)});
}

sub databases
{
	my ($node) = @_;
	return $node->safe_psql('postgres', q{SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate});
}

# What is queued to be removed has to go; what has failed once is tried again at once, not in a minute.
sub await_removals
{
	my ($node) = @_;
	wait_until(sub {
		$node->safe_psql('postgres', q{WITH u AS (UPDATE pgbackup.removals SET not_before = clock_timestamp()
			 WHERE not_before > clock_timestamp() RETURNING 1) SELECT pgbackup._wake_launcher() FROM u});
		return $node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.removals') eq '0';
	}, 'the removal of leftovers');
	return;
}

# Has cleanup() drop what is kept; tells whether it said so before.
sub drop_kept
{
	my ($node, $kept) = @_;
	$node->safe_psql('postgres', q{UPDATE pgbackup.restores SET finished_at = finished_at - interval '8 days' WHERE kept_database IS NOT NULL});
	my $told = $node->safe_psql('postgres', "SELECT count(*) FROM pgbackup.cleanup(dry_run => true) WHERE file_name = '$kept'");
	$node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.cleanup()');
	await_removals($node);
	return $told;
}

sub postmaster_pid
{
	my ($node) = @_;
	my ($pid) = read_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	return $pid;
}

# Processes of the server, with what they say they do.
sub server_processes
{
	my ($node) = @_;
	my $postmaster = postmaster_pid($node);
	my $children = read_file("/proc/$postmaster/task/$postmaster/children") // '';
	return map { $_ => (read_file("/proc/$_/cmdline") // '') =~ tr/\0/ /r } split ' ', $children;
}

# Waits until the agent of a restore runs; returns its process id and the launcher's. Both are there a moment
# after the row says that the restore is in progress.
sub await_restoring
{
	my ($node, $id) = @_;
	my $pids = '';
	wait_until(sub {
		$pids = $node->safe_psql('postgres', "SELECT agent_pid, pgbackup.launcher_pid() FROM pgbackup.progress WHERE id = $id AND kind = 'restore'");
		return $pids =~ /^\d+\|\d+$/;
	}, "the agent of restore $id");
	return split /\|/, $pids;
}

# Returns when restore $id into $target analyzes, which is the last thing before it swaps.
sub await_analyze
{
	my ($node, $id, $target) = @_;
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
	while (time < $deadline)
	{
		my %process = server_processes($node);
		return 1 if grep { /${target}__restore_${id}_\w+ .* ANALYZE/ } values %process;
		sleep 0.001;
	}
	die 'the restore never came to the end';
}

# The backends that a killed postmaster has left.
sub orphans
{
	my ($node) = @_;
	return grep { (readlink("/proc/$_/cwd") // '') eq $node->data_dir } processes_of('postgres: ');
}

# Kills the postmaster and, when all of the server is gone, starts another one.
sub kill_server
{
	my ($node) = @_;
	my $postmaster = postmaster_pid($node);
	$node->kill9;
	wait_until(sub { !-e "/proc/$postmaster" && !orphans($node) }, 'the end of the server', 60);
	unlink $node->data_dir . '/postmaster.pid';
	$node->start;
	return;
}

1;
