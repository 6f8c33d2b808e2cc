# Limits: a backup that grows too large is stopped and leaves nothing, and priorities.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('limits', 'pgbackup.max_size' => '1MB', 'pgbackup.nice' => 7, 'pgbackup.compression' => 'none');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE TABLE small AS SELECT 1 AS n;
	CREATE TABLE big AS SELECT md5(n::text) FROM generate_series(1, 300000) AS n');
my $id = start_backup($node, q{'shop', exclude_table_data => '{public.big}'});
is(finished($node, $id), 'completed', 'a backup within the limit completes');
for my $format (qw(custom parallel))
{
	fails_with($node, "'shop', format => '$format'", qr/larger than pgbackup\.max_size \(1024 kB\) and was stopped/,
		"format $format", $store);
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.backups WHERE retry_of IS NOT NULL'), 0, 'nothing is tried again');

# The agent and pg_dump are nice.
my $slow = slow_programs($node);
restart_settings($node, 'pgbackup.max_size' => 0, 'pgbackup.bin_directory' => $slow);
$id = start_backup($node, q{'shop', format => 'custom'});
wait_for_file("$slow/reached");
for my $process ([ 'the agent', $node->safe_psql('postgres', "SELECT agent_pid FROM pgbackup.progress WHERE id = $id") ],
	[ 'pg_dump', dumping_pid($node) ])
{
	my ($name, $pid) = @$process;
	# Behind the name in brackets: nice is the 17th field.
	my ($rest) = read_file("/proc/$pid/stat") =~ /\) (.*)/s;
	is((split ' ', $rest)[16], 7, "$name is nice");
}
PostgreSQL::Test::Utils::append_to_file("$slow/go", '');
is(finished($node, $id), 'completed', 'without a limit it completes');

# The last lines that a failed pg_dump has said are in the row, and in the log with run and database.
my $bin = $node->config_data('--bindir');
unlink "$slow/pg_dump";
PostgreSQL::Test::Utils::append_to_file("$slow/pg_dump", <<"SCRIPT");
#!/bin/bash
case "\$*" in *--version*) exec "$bin/pg_dump" "\$@" ;; esac
for i in {1..25}; do echo "line \$i." >&2; done
exit 1
SCRIPT
chmod 0755, "$slow/pg_dump";
my $log_start = -s $node->logfile;
$id = fails_with($node, q{'shop', format => 'custom'}, qr/pg_dump of .* exited with status 1/, 'a failing pg_dump', undef);
is(row_of($node, $id)->{detail}, join(' | ', map { "line $_." } 6 .. 25), 'its last 20 lines are the detail');
my $log = substr(read_file($node->logfile), $log_start);
is_deeply([ $log =~ /LOG:  pgbackup: backup $id of database "shop": (line \d+\.)\n/g ], [ map { "line $_." } 6 .. 25 ],
	'each is a line of the log, with run and database');

done_testing();
