# Settings that keep backups from being made.
package Outages::Settings;

use strict;
use warnings;

sub outages
{
	return (
		{ name => 'no worker process is left', reason => qr/the launcher does not run/,
		  begin => sub { $_[0]->restart(max_worker_processes => 0) }, end => sub { $_[0]->restart(max_worker_processes => 8) } },
		{ name => 'library is not preloaded', reason => qr/the launcher does not run/,
		  begin => sub { $_[0]->restart(shared_preload_libraries => '') }, end => sub { $_[0]->restart(shared_preload_libraries => 'pgbackup') } },
		{ name => 'home database does not exist', reason => qr/pgbackup works from database "nowhere", not from this one/,
		  begin => sub { $_[0]->restart('pgbackup.home_database' => 'nowhere') }, end => sub { $_[0]->restart('pgbackup.home_database' => 'postgres') } },
		{ name => 'home database accepts no connections', reason => qr/^error.*is not currently accepting connections/,
		  begin => sub {
			$_[0]->sql('SELECT pg_terminate_backend(pgbackup.launcher_pid())');
			$_[0]->sql('ALTER DATABASE postgres ALLOW_CONNECTIONS false', 'template1') },
		  end => sub { $_[0]->sql('ALTER DATABASE postgres ALLOW_CONNECTIONS true', 'template1') } },
		{ name => 'home database is another one', reason => qr/pgbackup works from database "shop", not from this one/,
		  begin => sub { $_[0]->restart('pgbackup.home_database' => 'shop') }, end => sub { $_[0]->restart('pgbackup.home_database' => 'postgres') } },
		{ name => 'encryption is refused at start', reason => qr/setting "pgbackup.encryption_recipients" in .* has no effect/,
		  begin => sub { $_[0]->restart('pgbackup.encryption_recipients' => 'age1wrong') }, end => sub { $_[0]->restart('pgbackup.encryption_recipients' => '') } },
		{ name => 'schedule is refused at start', reason => qr/setting "pgbackup.schedule" in .* has no effect/,
		  begin => sub { $_[0]->restart('pgbackup.schedule' => '0 25 * * *') }, end => sub { $_[0]->restart('pgbackup.schedule' => '* * * * *') } },
		{ name => 'no database is selected', short => 1, reason => qr/schedule "default" selects no database/,
		  begin => sub { $_[0]->settings('pgbackup.databases' => 'none_%') }, end => sub { $_[0]->settings('pgbackup.databases' => 'shop') } },
		{ name => 'a database is misspelled', reason => qr/schedule "default" names database "shoop", which does not exist/,
		  begin => sub { $_[0]->settings('pgbackup.databases' => 'shoop') }, end => sub { $_[0]->settings('pgbackup.databases' => 'shop') } },
		{ name => 'no storage is set', reason => qr/pgbackup\.storage is not set/,
		  begin => sub { $_[0]->settings('pgbackup.storage' => '') }, end => sub { $_[0]->settings('pgbackup.storage' => "file://$_[0]{store}") } },
		{ name => 'programs are missing', reason => qr/the last (?:backup|\d+ backups) failed/,
		  begin => sub { $_[0]->settings('pgbackup.bin_directory' => '/nowhere'); $_[0]->run }, end => sub { $_[0]->settings('pgbackup.bin_directory' => '') } },
		{ name => 'transactions are read-only by default', harmless => 1,
		  begin => sub { $_[0]->settings(default_transaction_read_only => 'on') },
		  end => sub { $_[0]->sql('SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only'); $_[0]->sql('SELECT pg_reload_conf()') } });
}

1;
