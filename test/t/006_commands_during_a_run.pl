# What a DBA does while a backup runs works, promptly: dropping a database, stopping the server,
# ending the launcher, dropping the extension.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_cluster('commands');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('postgres', 'CREATE DATABASE bystander');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
my $slow = slow_programs($node);
restart_settings($node, 'pgbackup.bin_directory' => $slow);

sub caught_in_the_middle
{
	unlink "$slow/reached";
	my $id = start_backup($node, q{'shop', format => 'parallel'});
	wait_for_file("$slow/reached");
	my $agent = agent_of($node, $id);
	return ($id, $agent);
}

sub promptly
{
	my ($title, $seconds, $work) = @_;
	my $begin = time;
	$work->();
	cmp_ok(time - $begin, '<', $seconds, "$title takes less than $seconds seconds");
	return;
}

my ($id, $agent) = caught_in_the_middle();
promptly('DROP DATABASE of another database', 5, sub { $node->safe_psql('postgres', 'DROP DATABASE bystander') });
promptly('CREATE DATABASE', 10, sub { $node->safe_psql('postgres', 'CREATE DATABASE bystander') });
promptly('DROP DATABASE WITH (FORCE) of the one that is dumped', 10,
	sub { $node->safe_psql('postgres', 'DROP DATABASE shop WITH (FORCE)') });
is(finished($node, $id), 'failed', 'and fails the run');
is_deeply([ storage_files($store) ], [], 'which leaves nothing in storage');

$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')) =~ s/^CREATE ROLE.*$//gmr);
($id, $agent) = caught_in_the_middle();
my $launcher = launcher_pid($node);
promptly('pg_terminate_backend of the launcher', 5,
	sub { $node->safe_psql('postgres', "SELECT pg_terminate_backend($launcher, 4000)") });
wait_until(sub { !-e "/proc/$agent" }, 'the end of the agent', 10);
$node->poll_query_until('postgres', "SELECT pgbackup.launcher_pid() <> $launcher") or die;
pass('the launcher comes back');
is(finished($node, $id), 'failed', 'the run is failed');
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
is_deeply([ storage_files($store) ], [], 'nothing is left in storage');

# A cancel request is for a statement: it ends neither the launcher nor its agents.
($id, $agent) = caught_in_the_middle();
$launcher = launcher_pid($node);
$node->safe_psql('postgres', "SELECT pg_cancel_backend($launcher)");
$node->reload;
is(launcher_pid($node), $launcher, 'pg_cancel_backend and a reload do not end the launcher');
ok(-e "/proc/$agent", 'nor its agent');

promptly('a fast shutdown', 10, sub { $node->stop('fast') });
wait_until(sub { !-e "/proc/$agent" && !processes_of("$slow/pg_dump") }, 'the end of the agent', 10);
pass('no agent is left after the shutdown');
$node->start;
is(finished($node, $id), 'failed', 'the run is failed after the start');
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
is_deeply([ storage_files($store) ], [], 'nothing is left in storage');

# Dropping and creating the extension needs no restart.
($id, $agent) = caught_in_the_middle();
promptly('DROP EXTENSION', 5, sub { $node->safe_psql('postgres', 'DROP EXTENSION pgbackup') });
wait_until(sub { !-e "/proc/$agent" }, 'the end of the agent', 15);
pass('ends what runs');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET pgbackup.bin_directory; SELECT pg_reload_conf()');
$node->safe_psql('postgres', 'CREATE EXTENSION pgbackup');
$id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'a new extension works at once');
is_deeply([ grep { !/backup_shop_.*_$id\// } storage_files($store) ], [], 'what ran before left nothing');

# A home database that is dropped and made again.
$node->safe_psql('template1', 'DROP DATABASE postgres WITH (FORCE)');
$node->safe_psql('template1', 'CREATE DATABASE postgres');
$node->safe_psql('postgres', 'CREATE EXTENSION pgbackup');
$node->poll_query_until('postgres', 'SELECT pgbackup.launcher_pid() IS NOT NULL') or die;
$id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'the launcher finds its way into a new home database');

$node->stop;
done_testing();
