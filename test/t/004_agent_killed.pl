# kill -9 of the agent fails one run and nothing else: no other session, no file, no process.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('agent_killed', 'pgbackup.max_concurrent' => 2);
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
my $slow = slow_programs($node);
my $log_start = -s $node->logfile;

restart_settings($node, 'pgbackup.bin_directory' => $slow);
my $id = start_backup($node, q{'shop', format => 'parallel'});
wait_for_file("$slow/reached");
my $agent = agent_of($node, $id);
like(read_file("/proc/$agent/cmdline"), qr/^pgbackup\0/, 'the agent is called pgbackup in ps');
cmp_ok(scalar processes_of("$slow/pg_dump"), '>', 0, 'a dump runs');
my $launcher = launcher_pid($node);
my $session = $node->background_psql('postgres');
my $backend = $session->query_safe('SELECT pg_backend_pid()');

kill 'KILL', $agent;
is(finished($node, $id), 'failed', 'the run is failed');
my $row = row_of($node, $id);
like($row->{message}, qr/agent was killed by signal 9/, 'the row says what happened');
isnt($row->{hint}, '', 'and what to do');
wait_until(sub { scalar(processes_of("$slow/pg_dump")) == 0 }, 'the end of pg_dump', 10);
pass('no pg_dump is left');
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'shop'}) or die;
pass('no session of the dump is left');
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
is_deeply([ storage_files($store) ], [], 'what the agent had stored is removed');
is($session->query_safe('SELECT pg_backend_pid()'), $backend, 'other sessions go on');
is(launcher_pid($node), $launcher, 'so does the launcher');
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile, $log_start), qr/crash|reinitializ/i, 'the server did not restart');

restart_settings($node, 'pgbackup.bin_directory' => '');
$id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'the next run works');

# The same for a restore: the target does not appear.
unlink "$slow/pg_restore";
my $bin = $node->config_data('--bindir');
PostgreSQL::Test::Utils::append_to_file("$slow/pg_restore", <<"SCRIPT");
#!/bin/bash
case "\$*" in *--version*|*--list*|*-l*) exec "$bin/pg_restore" "\$@" ;; esac
echo \$\$ > "$slow/restoring"
until [ -e "$slow/go_on" ]; do read -r -t 0.05 <> <(:); done
exec "$bin/pg_restore" "\$@"
SCRIPT
chmod 0755, "$slow/pg_restore";
restart_settings($node, 'pgbackup.bin_directory' => $slow);
my $restore = start_restore($node, "$id, 'back'");
wait_for_file("$slow/restoring");
$agent = agent_of($node, $restore);
kill 'KILL', $agent;
is(finished($node, $restore), 'failed', 'a killed restore is failed');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname = 'back'}), 0, 'the target does not exist');
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
is($node->safe_psql('postgres', q{SELECT string_agg(datname, ',') FROM pg_database WHERE datname ~ 'back'}), '',
	'and no side database is left');
restart_settings($node, 'pgbackup.bin_directory' => '');
$restore = start_restore($node, "$id, 'back'");
is(finished($node, $restore), 'completed', 'the next restore works');
ok(database_as_text($node, 'back') eq database_as_text($node, 'shop'), 'and is equal');

$session->quit;
$node->stop;
done_testing();
