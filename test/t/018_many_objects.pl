# Databases with many tables and many large objects: check() says how big the server's lock table must
# be, backups fail with the same words until it is, and then they come back equal. `scripts/test many`
# makes them big and tells what it took.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $tables = $ENV{PGBACKUP_TEST_TABLES} // 400;
my $large_objects = $ENV{PGBACKUP_TEST_LARGE_OBJECTS} // 1000;
# Ten locks for each of 30 sessions.
my $node = new_cluster('many', 'pgbackup.retry_count' => '0', max_locks_per_transaction => 10, max_connections => 10,
	max_wal_senders => 0, max_worker_processes => 8, autovacuum => 'off', max_wal_size => '4GB');
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(tables objects);

# A table in five has a sequence and an index, one in ten a view.
$node->safe_psql('tables', <<"SQL");
DO \$\$ BEGIN
	FOR i IN 1 .. $tables LOOP
		EXECUTE format('CREATE TABLE t%s (a int%s)', i, CASE WHEN i % 5 = 0 THEN ' GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b int' END);
		IF i % 10 = 0 THEN EXECUTE format('CREATE VIEW v%s AS SELECT * FROM t%s', i, i); END IF;
		EXECUTE format('INSERT INTO t%s (%s) VALUES (%s)', i, CASE WHEN i % 5 = 0 THEN 'b' ELSE 'a' END, i);
		IF i % 10 = 0 THEN COMMIT; END IF;
	END LOOP;
END \$\$;
SQL
$node->safe_psql('objects', "SELECT count(lo_from_bytea(0, convert_to('object ' || i, 'UTF8'))) FROM generate_series(1, $large_objects) i");

sub locks_row
{
	return split /\|/, $node->safe_psql('postgres', q{SELECT status, detail, hint FROM pgbackup.check() WHERE item = 'locks'});
}

my ($status, $detail, $hint) = locks_row();
is($status, 'error', 'check() tells when the lock table is too small');
my $views = int($tables / 10) + int($tables / 5);
like($detail, qr/^max_locks_per_transaction = 10, \d+ needed for "tables" with $tables tables, $views views and sequences$/, 'for which database, and why');
like($hint, qr/^ALTER SYSTEM SET max_locks_per_transaction = \d+ \(it is 10\), then restart the server\.$/, 'and what to set');

for my $format ('custom', 'parallel')
{
	my $id = start_backup($node, "'tables', format => '$format'");
	is(finished($node, $id), 'failed', "$format: such a backup fails");
	my $row = row_of($node, $id);
	like($row->{message}, qr/^the server has no room for the locks of this backup: /, "$format: the row says why");
	like($row->{hint}, qr/^ALTER SYSTEM SET max_locks_per_transaction = \d+ \(it is 10\), then restart/, "$format: and what to set");
}

my ($wanted) = $hint =~ /= (\d+) /;
$node->safe_psql('postgres', "ALTER SYSTEM SET max_locks_per_transaction = $wanted");
$node->restart;
($status, $detail) = locks_row();
is($status, 'ok', 'what it says is enough') or diag($detail);

# Waits for a run, and tells how long it took and how much memory the agent and its programs.
sub watched
{
	my ($table, $id, $title) = @_;
	my ($begin, %peak) = (time);
	while ($node->safe_psql('postgres', "SELECT status FROM pgbackup.$table WHERE id = $id") =~ /pending|in_progress/)
	{
		my $agent = $node->safe_psql('postgres', "SELECT agent_pid FROM pgbackup.progress WHERE id = $id");
		for my $pid ($agent eq '' ? () : processes_of(''))
		{
			my ($name, $parent) = (read_file("/proc/$pid/stat") // '') =~ /^\d+ \((.*)\) \S (\d+)/s or next;
			next unless $pid == $agent || $parent == $agent;
			my ($size) = (read_file("/proc/$pid/status") // '') =~ /^VmHWM:\s+(\d+) kB/m or next;
			$peak{$name} = $size if $size > ($peak{$name} // 0);
		}
		usleep(200_000);
	}
	diag(sprintf '%s: %.0f s, MiB: %s', $title, time - $begin,
		join ', ', map { sprintf '%s %.0f', $_, $peak{$_} / 1024 } sort keys %peak) if $ENV{PGBACKUP_TEST_TABLES};
	my $row = row_of($node, $id, $table);
	is($row->{status}, 'completed', $title) or diag(explain($row));
	return;
}

# What a database holds, in one line.
sub fingerprint
{
	my ($database) = @_;
	my $pg_dump = $node->installed_command('pg_dump');
	my ($host, $port) = ($node->host, $node->port);
	my $line = `$pg_dump --inserts -h '$host' -p $port -d $database | grep -vE '^.(un)?restrict ' | LC_ALL=C sort | sha256sum`;
	die "pg_dump of $database failed" if $? != 0;
	return $line;
}

for my $database ('tables', 'objects')
{
	my $before = fingerprint($database);
	for my $format ('custom', 'parallel')
	{
		my $id = start_backup($node, "'$database', format => '$format'");
		watched('backups', $id, "$format backup of many $database");
		watched('restores', start_restore($node, "$id, 'again'"), "$format restore of many $database");
		is(fingerprint('again'), $before, "$format: restored equal");
		$node->safe_psql('postgres', 'DROP DATABASE again');
	}
}

$node->stop;
done_testing();
