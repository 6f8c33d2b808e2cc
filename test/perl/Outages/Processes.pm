# Processes of pgbackup and of the server that end, or do not get on.
package Outages::Processes;

use strict;
use warnings;

use PgBackup;
use Unkillable;

sub outages
{
	return (
		{ name => 'launcher is terminated', short => 1, reason => qr/the launcher does not run/,
		  begin => sub { $_[0]->sql('SELECT pg_terminate_backend(pgbackup.launcher_pid())') } },
		{ name => 'launcher is stopped', short => 1, reason => qr/the launcher \(process \d+\) has not responded since/,
		  begin => sub { $_[0]{pid} = $_[0]->sql('SELECT pgbackup.launcher_pid()'); kill 'STOP', $_[0]{pid} },
		  end => sub { kill 'CONT', $_[0]{pid} } },
		{ name => 'launcher is killed', reason => qr/error|the launcher does not run/,
		  begin => sub { kill 'KILL', $_[0]->sql('SELECT pgbackup.launcher_pid()') } },
		{ name => 'launcher is held by the kernel', needs => \&can_hold, reason => qr/has not responded since/,
		  begin => sub { $_[0]{holder} = hold($_[0]->sql('SELECT pgbackup.launcher_pid()')) },
		  end => sub { let_go($_[0]{holder}) } },
		{ name => 'agent is stopped', reason => qr/backup \d+ has made no progress since .*, in phase "dumping"/,
		  begin => sub { $_[0]->slow_run; $_[0]{pid} = agent_of($_[0]{node}, $_[0]{id}); kill 'STOP', $_[0]{pid} },
		  end => sub { kill 'CONT', $_[0]{pid}; $_[0]->fast_again } },
		{ name => 'agent is killed', short => 1, reason => qr/the last (?:backup|\d+ backups) failed: the pgbackup agent was killed by signal 9/,
		  begin => sub { $_[0]->slow_run; kill 'KILL', agent_of($_[0]{node}, $_[0]{id}); $_[0]->settings('pgbackup.bin_directory' => '') } },
		{ name => 'agent is held by the kernel', needs => \&can_hold, reason => qr/has made no progress since/,
		  begin => sub { $_[0]->slow_run; $_[0]{holder} = hold(agent_of($_[0]{node}, $_[0]{id})) },
		  end => sub { let_go($_[0]{holder}); $_[0]->fast_again } },
		{ name => 'pg_dump is stopped', reason => qr/has made no progress since/,
		  begin => sub { $_[0]->slow_run; $_[0]{pid} = dumping_pid($_[0]{node}); kill 'STOP', $_[0]{pid} },
		  end => sub { kill 'CONT', $_[0]{pid}; $_[0]->fast_again } },
		{ name => 'a session locks a table of the database', reason => qr/failed: could not lock table|has made no progress since/,
		  begin => sub { $_[0]->lock('shop', 'public.orders', 'ACCESS EXCLUSIVE'); $_[0]->run },
		  end => sub { $_[0]->unlock } },
		{ name => 'server is stopped', reason => qr/^error/,
		  begin => sub { $_[0]{node}->stop('fast') }, end => sub { $_[0]{node}->start } });
}

1;
