# Ways to stop backups, in one table, and the judgement on each: health() is not healthy within two minutes, and once
# the cause is gone everything goes on by itself.
package Outages;

use strict;
use warnings;

use Exporter 'import';
use IO::Socket::INET;
use IPC::Run;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use Unkillable;

our @EXPORT = qw(outages_of short_outages test_outages);

my $noticed_within = 120;
# A slot of the schedule comes once a minute, and a server or a launcher may have to start first.
my $resumed_within = 180;

# Of each outage: `name`, `group` (the file that tests it), `short` for one of the short set, `begin` and `end`, which
# get the state of the test, and `reason`, what health() says. `begin` returns once the cause is at work. Without `end` it
# goes by itself. `harmless`: nothing is to stop.
my @outages = (
	# Processes.
	{ name => 'launcher is terminated', group => 'processes', short => 1, reason => qr/the launcher does not run/,
	  begin => sub { $_[0]->sql('SELECT pg_terminate_backend(pgbackup.launcher_pid())') } },
	{ name => 'launcher is stopped', group => 'processes', short => 1, reason => qr/the launcher \(process \d+\) has not responded since/,
	  begin => sub { $_[0]{pid} = $_[0]->sql('SELECT pgbackup.launcher_pid()'); kill 'STOP', $_[0]{pid} },
	  end => sub { kill 'CONT', $_[0]{pid} } },
	{ name => 'launcher is killed', group => 'processes', reason => qr/error|the launcher does not run/,
	  begin => sub { kill 'KILL', $_[0]->sql('SELECT pgbackup.launcher_pid()') } },
	{ name => 'launcher is held by the kernel', group => 'processes', needs => \&can_hold, reason => qr/has not responded since/,
	  begin => sub { $_[0]{holder} = hold($_[0]->sql('SELECT pgbackup.launcher_pid()')) },
	  end => sub { let_go($_[0]{holder}) } },
	{ name => 'agent is stopped', group => 'processes', reason => qr/backup \d+ has made no progress since .*, in phase "dumping"/,
	  begin => sub { $_[0]->slow_run; $_[0]{pid} = agent_of($_[0]{node}, $_[0]{id}); kill 'STOP', $_[0]{pid} },
	  end => sub { kill 'CONT', $_[0]{pid}; $_[0]->fast_again } },
	{ name => 'agent is killed', group => 'processes', short => 1, reason => qr/the last (?:backup|\d+ backups) failed: the pgbackup agent was killed by signal 9/,
	  begin => sub { $_[0]->slow_run; kill 'KILL', agent_of($_[0]{node}, $_[0]{id}); $_[0]->settings('pgbackup.bin_directory' => '') } },
	{ name => 'agent is held by the kernel', group => 'processes', needs => \&can_hold, reason => qr/has made no progress since/,
	  begin => sub { $_[0]->slow_run; $_[0]{holder} = hold(agent_of($_[0]{node}, $_[0]{id})) },
	  end => sub { let_go($_[0]{holder}); $_[0]->fast_again } },
	{ name => 'pg_dump is stopped', group => 'processes', reason => qr/has made no progress since/,
	  begin => sub { $_[0]->slow_run; $_[0]{pid} = dumping_pid($_[0]{node}); kill 'STOP', $_[0]{pid} },
	  end => sub { kill 'CONT', $_[0]{pid}; $_[0]->fast_again } },
	{ name => 'a session locks a table of the database', group => 'processes', reason => qr/failed: could not lock table|has made no progress since/,
	  begin => sub { $_[0]->lock('shop', 'public.orders', 'ACCESS EXCLUSIVE'); $_[0]->run },
	  end => sub { $_[0]->unlock } },
	{ name => 'server is stopped', group => 'processes', reason => qr/^error/,
	  begin => sub { $_[0]{node}->stop('fast') }, end => sub { $_[0]{node}->start } },

	# The catalog.
	(map { my $table = $_; {
		name => "a session locks $table", group => 'catalog', reason => qr/process \d+ has locked table "$table" of pgbackup/,
		short => $table eq 'backups',
		begin => sub { $_[0]->lock('postgres', "pgbackup.$table", 'ACCESS EXCLUSIVE') },
		end => sub { $_[0]->unlock } } }
	  qw(backups restores copies removals slots schedule_states named_schedules leases instance)),
	{ name => 'a session locks cancellations', group => 'catalog', reason => qr/the launcher has met errors since/,
	  begin => sub { $_[0]->lock('postgres', 'pgbackup.cancellations', 'ACCESS EXCLUSIVE') },
	  end => sub { $_[0]->unlock } },
	{ name => 'a session locks slots against writers', group => 'catalog', reason => qr/the launcher has met errors|nothing has been recorded/,
	  begin => sub { $_[0]->lock('postgres', 'pgbackup.slots', 'EXCLUSIVE') },
	  end => sub { $_[0]->unlock } },
	{ name => 'a session locks a row that waits', group => 'catalog', reason => qr/has been waiting since .*, although nothing keeps it from starting/,
	  begin => sub { $_[0]->lock_pending }, end => sub { $_[0]->unlock } },
	{ name => 'a table is gone', group => 'catalog', reason => qr/the launcher has met errors since/,
	  begin => sub { $_[0]->sql('ALTER TABLE pgbackup.cancellations RENAME TO gone') },
	  end => sub { $_[0]->sql('ALTER TABLE pgbackup.gone RENAME TO cancellations') } },
	{ name => 'a run is lost', group => 'catalog', reason => qr/is recorded as under way, but no process works on it/,
	  begin => sub { $_[0]->sql(q{INSERT INTO pgbackup.backups (database, storage, format, status, started_at, file_name)
		VALUES ('shop', 'file:///nowhere', 'custom', 'in_progress', now() - interval '1 hour', 'x')}) },
	  end => sub { $_[0]->sql('SELECT pg_terminate_backend(pgbackup.launcher_pid())') } },
	{ name => 'schedules are not settled', group => 'catalog', reason => qr/nothing has been recorded of schedule "default" since/,
	  begin => sub { $_[0]->sql(q{CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
		CREATE TRIGGER no BEFORE INSERT OR UPDATE ON pgbackup.slots FOR EACH ROW EXECUTE FUNCTION public.no()}); $_[0]->await_slot },
	  end => sub { $_[0]->sql('DROP FUNCTION public.no() CASCADE') } },
	{ name => 'a session locks the row of a schedule', group => 'catalog', reason => qr/the launcher has met errors since .*lock timeout/,
	  begin => sub { $_[0]->session('postgres', 'BEGIN; SELECT FROM pgbackup.schedule_states FOR UPDATE') or die; $_[0]->await_trouble },
	  end => sub { $_[0]->unlock } },
	{ name => 'disk of the catalog is full', group => 'catalog', needs => sub { $ENV{PGBACKUP_TEST_SMALL_TABLESPACE} },
	  reason => qr/the launcher has met errors since .*No space left/,
	  begin => sub { $_[0]->fill_catalog; $_[0]->await_trouble }, end => sub { $_[0]->empty_catalog } },
	{ name => 'extension is dropped', group => 'catalog', short => 1, reason => qr/^error.*does not exist/,
	  begin => sub { $_[0]->sql('DROP EXTENSION pgbackup') }, end => sub { $_[0]->sql('CREATE EXTENSION pgbackup') } },

	# Settings.
	{ name => 'no worker process is left', group => 'settings', reason => qr/the launcher does not run/,
	  begin => sub { $_[0]->restart(max_worker_processes => 0) }, end => sub { $_[0]->restart(max_worker_processes => 8) } },
	{ name => 'library is not preloaded', group => 'settings', reason => qr/the launcher does not run/,
	  begin => sub { $_[0]->restart(shared_preload_libraries => '') }, end => sub { $_[0]->restart(shared_preload_libraries => 'pgbackup') } },
	{ name => 'home database does not exist', group => 'settings', reason => qr/pgbackup works from database "nowhere", not from this one/,
	  begin => sub { $_[0]->restart('pgbackup.home_database' => 'nowhere') }, end => sub { $_[0]->restart('pgbackup.home_database' => 'postgres') } },
	{ name => 'home database is another one', group => 'settings', reason => qr/pgbackup works from database "shop", not from this one/,
	  begin => sub { $_[0]->restart('pgbackup.home_database' => 'shop') }, end => sub { $_[0]->restart('pgbackup.home_database' => 'postgres') } },
	{ name => 'encryption is refused at start', group => 'settings', reason => qr/setting "pgbackup.encryption_recipients" in .* has no effect/,
	  begin => sub { $_[0]->restart('pgbackup.encryption_recipients' => 'age1wrong') }, end => sub { $_[0]->restart('pgbackup.encryption_recipients' => '') } },
	{ name => 'schedule is refused at start', group => 'settings', reason => qr/setting "pgbackup.schedule" in .* has no effect/,
	  begin => sub { $_[0]->restart('pgbackup.schedule' => '0 25 * * *') }, end => sub { $_[0]->restart('pgbackup.schedule' => '* * * * *') } },
	{ name => 'no database is selected', group => 'settings', short => 1, reason => qr/schedule "default" selects no database/,
	  begin => sub { $_[0]->settings('pgbackup.databases' => 'none_%') }, end => sub { $_[0]->settings('pgbackup.databases' => 'shop') } },
	{ name => 'a database is misspelled', group => 'settings', reason => qr/schedule "default" names database "shoop", which does not exist/,
	  begin => sub { $_[0]->settings('pgbackup.databases' => 'shoop') }, end => sub { $_[0]->settings('pgbackup.databases' => 'shop') } },
	{ name => 'no storage is set', group => 'settings', reason => qr/pgbackup\.storage is not set/,
	  begin => sub { $_[0]->settings('pgbackup.storage' => '') }, end => sub { $_[0]->settings('pgbackup.storage' => "file://$_[0]{store}") } },
	{ name => 'programs are missing', group => 'settings', reason => qr/the last (?:backup|\d+ backups) failed/,
	  begin => sub { $_[0]->settings('pgbackup.bin_directory' => '/nowhere'); $_[0]->run }, end => sub { $_[0]->settings('pgbackup.bin_directory' => '') } },
	{ name => 'transactions are read-only by default', group => 'settings', harmless => 1,
	  begin => sub { $_[0]->settings(default_transaction_read_only => 'on') },
	  end => sub { $_[0]->sql('SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only'); $_[0]->sql('SELECT pg_reload_conf()') } },

	# Rights and roles.
	{ name => 'owner cannot log in', group => 'roles', reason => qr/the last (?:backup|\d+ backups) failed/,
	  begin => sub { $_[0]->sql('ALTER ROLE postgres NOLOGIN'); $_[0]->run }, end => sub { $_[0]->sql('ALTER ROLE postgres LOGIN') } },
	{ name => 'pg_hba.conf rejects the owner', group => 'roles', reason => qr/the last (?:backup|\d+ backups) failed/,
	  begin => sub { $_[0]->hba('local all postgres reject'); $_[0]->run }, end => sub { $_[0]->hba() } },
	{ name => 'no connection is left', group => 'roles', reason => qr/the last (?:backup|\d+ backups) failed|^error.*too many clients/,
	  begin => sub { $_[0]->run_with_all_connections }, end => sub { $_[0]->unlock } },
	{ name => 'owner is renamed', group => 'roles', harmless => 1,
	  begin => sub { $_[0]->sql('ALTER ROLE postgres RENAME TO boss') }, end => sub { $_[0]->sql('ALTER ROLE boss RENAME TO postgres') } },
	{ name => 'rights are revoked', group => 'roles', harmless => 1,
	  begin => sub { $_[0]->sql("REVOKE ALL ON $_ pgbackup FROM PUBLIC, postgres")
		for 'SCHEMA', 'ALL TABLES IN SCHEMA', 'ALL FUNCTIONS IN SCHEMA', 'ALL SEQUENCES IN SCHEMA' },
	  end => sub { $_[0]->sql('GRANT ALL ON SCHEMA pgbackup TO postgres') } },
	{ name => 'settings of the owner', group => 'roles', harmless => 1,
	  begin => sub { $_[0]->sql(q{ALTER ROLE postgres SET statement_timeout = '1ms'; ALTER ROLE postgres SET role = 'nobody';
		ALTER ROLE postgres SET search_path = 'nowhere'; ALTER ROLE postgres SET default_transaction_read_only = on}) },
	  end => sub { $_[0]->sql('ALTER ROLE postgres RESET ALL') } },
	{ name => 'settings of the home database', group => 'roles', harmless => 1,
	  begin => sub { $_[0]->sql(q{ALTER DATABASE postgres SET standard_conforming_strings = off; ALTER DATABASE postgres SET lock_timeout = '1ms';
		ALTER DATABASE postgres SET default_transaction_isolation = 'serializable'}); $_[0]->sql('SELECT pg_terminate_backend(pgbackup.launcher_pid())') },
	  end => sub { $_[0]->sql('ALTER DATABASE postgres RESET ALL'); $_[0]->sql('SELECT pg_terminate_backend(pgbackup.launcher_pid())') } },
	{ name => 'database accepts no connections', group => 'roles', reason => qr/it does not accept connections/,
	  begin => sub { $_[0]->sql('ALTER DATABASE shop ALLOW_CONNECTIONS false') }, end => sub { $_[0]->sql('ALTER DATABASE shop ALLOW_CONNECTIONS true') } },
	{ name => 'database is dropped', group => 'roles', reason => qr/names database "shop", which does not exist/,
	  begin => sub { $_[0]->sql('DROP DATABASE shop WITH (FORCE)') }, end => sub { $_[0]->sql('CREATE DATABASE shop TEMPLATE template0') } },
	{ name => 'database is renamed', group => 'roles', reason => qr/names database "shop", which does not exist/,
	  begin => sub { $_[0]->sql('ALTER DATABASE shop RENAME TO shop_old') }, end => sub { $_[0]->sql('ALTER DATABASE shop_old RENAME TO shop') } },

	# The storage and hooks.
	{ name => 'storage is away', group => 'storage', short => 1, reason => qr/the last (?:backup|\d+ backups) failed/,
	  begin => sub { rename $_[0]{store}, "$_[0]{store}.away" or die $!; append_to_file($_[0]{store}, ''); $_[0]->run },
	  end => sub { unlink $_[0]{store}; rename "$_[0]{store}.away", $_[0]{store} or die $! } },
	{ name => 'storage cannot be written', group => 'storage', reason => qr/the last (?:backup|\d+ backups) failed/,
	  begin => sub { chmod 0500, glob "$_[0]{store} $_[0]{store}/* $_[0]{store}/*/*"; $_[0]->run },
	  end => sub { chmod 0700, glob "$_[0]{store} $_[0]{store}/* $_[0]{store}/*/*" } },
	{ name => 'storage is full', group => 'storage', needs => sub { $ENV{PGBACKUP_TEST_SMALL_DISK} }, reason => qr/the last (?:backup|\d+ backups) failed/,
	  begin => sub { $_[0]->settings('pgbackup.storage' => "file://$ENV{PGBACKUP_TEST_SMALL_DISK}/store"); $_[0]->fill($ENV{PGBACKUP_TEST_SMALL_DISK}); $_[0]->run },
	  end => sub { unlink "$ENV{PGBACKUP_TEST_SMALL_DISK}/filler" } },
	{ name => 'store of S3 does not respond', group => 'storage', reason => qr/has made no progress since|the storage cannot be reached/,
	  begin => sub { $_[0]->silent_store; $_[0]->run },
	  end => sub { $_[0]->settings('pgbackup.storage' => "file://$_[0]{store}"); close $_[0]{listener} } },
	# It is ended after ten minutes.
	{ name => 'agent is stopped for good', group => 'patience', reason => qr/has made no progress since/, resumed_within => 900,
	  begin => sub { $_[0]->slow_run; kill 'STOP', agent_of($_[0]{node}, $_[0]{id}); $_[0]->settings('pgbackup.bin_directory' => '') } },
	{ name => 'a hook hangs', group => 'storage', reason => qr/the last (?:backup|\d+ backups) failed: pgbackup\.pre_backup_command took longer than/,
	  begin => sub { $_[0]->settings('pgbackup.pre_backup_command' => '["/bin/sleep", "1000"]'); $_[0]->run },
	  end => sub { $_[0]->settings('pgbackup.pre_backup_command' => '') } },
	{ name => 'a hook fails', group => 'storage', reason => qr/the last (?:backup|\d+ backups) failed/,
	  begin => sub { $_[0]->settings('pgbackup.pre_backup_command' => '["/bin/false"]'); $_[0]->run },
	  end => sub { $_[0]->settings('pgbackup.pre_backup_command' => '') } });

sub outages_of { my ($group) = @_; return grep { $_->{group} eq $group } @outages }
sub short_outages { return grep { $_->{short} } @outages }

# A cluster that backs up database "shop" every minute, and a superuser that is not the extension's owner.
sub new
{
	my ($class, $name) = @_;
	my $self = bless { sessions => [] }, $class;
	my $node = $self->{node} = new_cluster($name, 'pgbackup.databases' => 'shop', 'pgbackup.schedule' => '* * * * *',
		max_connections => 20, superuser_reserved_connections => 0, restart_after_crash => 'on');
	$self->{store} = $node->basedir . '/store';
	$node->safe_psql('postgres', 'CREATE ROLE tester SUPERUSER LOGIN; CREATE ROLE nobody; CREATE DATABASE shop');
	$node->safe_psql('shop', q{CREATE TABLE orders AS SELECT n, md5(n::text) AS note FROM generate_series(1, 5000) AS n});
	$self->{slow} = slow_programs($node);
	return $self;
}

sub answer
{
	my ($self, $sql, $database) = @_;
	return $self->{node}->psql($database // 'postgres', $sql, timeout => 60, extra_params => [ '-U', 'tester' ]);
}

sub sql
{
	my ($self, $sql, $database) = @_;
	my ($code, $out, $err) = $self->answer($sql, $database);
	die "$sql: $err" if ($code // 1) != 0;
	return $out;
}

# What a monitor sees.
sub health
{
	my ($self) = @_;
	my ($out, $err) = ('', '');
	my ($code, $late);
	# A psql that cannot connect does not read its input either.
	eval
	{
		($code) = $self->{node}->psql('postgres', q{SELECT CASE WHEN bool_and(status = 'healthy') THEN 'healthy'
			ELSE string_agg(array_to_string(reasons, '; '), ' | ') END FROM pgbackup.health()},
			stdout => \$out, stderr => \$err, timeout => 60, timed_out => \$late, extra_params => [ '-U', 'tester' ]);
		1;
	} or $err ||= $@;
	return 'error: no answer' if $late;
	return ($code // 1) == 0 ? $out : 'error: ' . $err =~ s/\s+/ /gr;
}

sub settings
{
	my ($self, %settings) = @_;
	$self->sql("ALTER SYSTEM SET $_ = '$settings{$_}'") for sort keys %settings;
	$self->sql('SELECT pg_reload_conf()');
	for my $name (sort keys %settings)
	{
		wait_until(sub { $self->sql("SELECT setting FROM pg_settings WHERE name = '$name'") eq $settings{$name} }, "setting $name");
	}
	return;
}

# Restarts the server with other settings, be they invalid.
sub restart
{
	my ($self, %settings) = @_;
	for my $name (sort keys %settings)
	{
		$self->{node}->adjust_conf('postgresql.conf', $name, undef);
		$self->{node}->append_conf('postgresql.conf', "$name = '$settings{$name}'");
	}
	$self->{node}->restart('fast');
	return;
}

sub hba
{
	my ($self, @lines) = @_;
	my $file = $self->{node}->data_dir . '/pg_hba.conf';
	$self->{hba} //= read_file($file);
	open my $handle, '>', $file or die "$file: $!";
	print $handle map({ "$_\n" } @lines), $self->{hba};
	close $handle or die "$file: $!";
	$self->sql('SELECT pg_reload_conf()');
	return;
}

# A session that is left as it is after what it has done; false when it cannot be had.
sub session
{
	my ($self, $database, $sql) = @_;
	my ($in, $out, $err) = ("$sql; SELECT 'ready';\n", '', '');
	my $session = IPC::Run::start([ 'psql', '-XAtq', '-U', 'tester', '-d', $self->{node}->connstr($database) ], '<', \$in, '>', \$out,
		'2>', \$err);
	while ($out !~ /^ready$/m)
	{
		last unless $session->pumpable;
		$session->pump;
	}
	if ($out !~ /^ready$/m)
	{
		$session->finish;
		return 0;
	}
	push @{ $self->{sessions} }, $session;
	return 1;
}

sub lock
{
	my ($self, $database, $table, $mode) = @_;
	$self->session($database, "BEGIN; LOCK TABLE $table IN $mode MODE") or die "could not lock $table";
	return;
}

sub unlock
{
	my ($self) = @_;
	$_->kill_kill for splice @{ $self->{sessions} };
	return;
}

# Queues a backup and waits until it has begun.
sub run
{
	my ($self) = @_;
	$self->{id} = $self->sql(q{SELECT pgbackup.create('shop')});
	wait_until(sub { $self->sql("SELECT status <> 'pending' FROM pgbackup.backups WHERE id = $self->{id}") eq 't' }, 'the run');
	return;
}

# The same, and it stays in the middle of its dump.
sub slow_run
{
	my ($self) = @_;
	unlink "$self->{slow}/reached", "$self->{slow}/go";
	$self->settings('pgbackup.bin_directory' => $self->{slow});
	wait_for_file("$self->{slow}/reached") if !$self->run;
	$self->{id} = $self->sql(q{SELECT max(id) FROM pgbackup.backups WHERE status = 'in_progress'});
	return;
}

sub fast_again
{
	my ($self) = @_;
	append_to_file("$self->{slow}/go", '');
	$self->settings('pgbackup.bin_directory' => '');
	return;
}

sub lock_pending
{
	my ($self) = @_;
	my $id = $self->sql(q{INSERT INTO pgbackup.backups (database, storage, format, options, not_before)
		SELECT database, storage, 'custom', options, clock_timestamp() + interval '5 s' FROM pgbackup.latest('shop') RETURNING id});
	$self->session('postgres', "BEGIN; SELECT FROM pgbackup.backups WHERE id = $id FOR UPDATE") or die 'could not lock the row';
	return;
}

sub run_with_all_connections
{
	my ($self) = @_;
	$self->{node}->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pgbackup.progress}) or die;
	1 while $self->session('postgres', 'SELECT 1');
	(pop @{ $self->{sessions} })->kill_kill;
	wait_until(sub { my ($code) = $self->answer(q{SELECT pgbackup.create('shop')}); ($code // 1) == 0 }, 'a connection');
	return;
}

sub fill
{
	my ($self, $folder) = @_;
	open my $file, '>', "$folder/filler" or die "$folder/filler: $!";
	my $block = 'x' x 4096;
	1 while syswrite $file, $block;
	close $file;
	return;
}

# The table of backups gets a disk of its own, without room.
sub fill_catalog
{
	my ($self) = @_;
	my $disk = $ENV{PGBACKUP_TEST_SMALL_TABLESPACE};
	$self->sql("CREATE TABLESPACE small LOCATION '$disk'");
	$self->sql('ALTER TABLE pgbackup.backups SET TABLESPACE small');
	$self->fill($disk);
	# What room is left in its pages.
	my ($code, $out, $err);
	do
	{
		($code, $out, $err) = $self->answer(q{INSERT INTO pgbackup.backups (database, storage, format, status, message)
			VALUES ('filler', 'file:///nowhere', 'custom', 'cancelled', (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 30)))});
	} while ($code // 1) == 0;
	die $err unless $err =~ /No space left/;
	return;
}

sub empty_catalog
{
	my ($self) = @_;
	unlink "$ENV{PGBACKUP_TEST_SMALL_TABLESPACE}/filler";
	$self->sql(q{DELETE FROM pgbackup.backups WHERE database = 'filler'});
	$self->sql('ALTER TABLE pgbackup.backups SET TABLESPACE pg_default');
	$self->sql('DROP TABLESPACE small');
	return;
}

# Waits until the launcher has settled a slot from now on.
sub await_slot
{
	my ($self) = @_;
	my $begin = time;
	wait_until(sub { $self->sql(qq{SELECT since > to_timestamp($begin) FROM pgbackup.schedule_states WHERE schedule = 'default'}) eq 't' }, 'a slot');
	return;
}

# Waits until the launcher has met an error.
sub await_trouble
{
	my ($self) = @_;
	wait_until(sub { $self->sql('SELECT errors IS NOT NULL FROM pgbackup._launcher_trouble()') eq 't' }, 'trouble of the launcher');
	return;
}

# A port where connections are taken and nothing is ever said.
sub silent_store
{
	my ($self) = @_;
	$self->{listener} = IO::Socket::INET->new(Listen => 100, LocalAddr => '127.0.0.1', Proto => 'tcp') or die "listen: $!";
	$self->settings('pgbackup.storage' => sprintf('s3://bucket/x?endpoint=http://127.0.0.1:%d&region=r', $self->{listener}->sockport));
	return;
}

# Polls health until it is, or is not, healthy and the further condition holds; returns how long it took and what it said.
sub await
{
	my ($self, $seconds, $condition) = @_;
	my $begin = time;
	my $said;
	do
	{
		$said = $self->health;
		return (time - $begin, $said) if $condition->($said);
		usleep(300_000);
	} while (time - $begin < $seconds);
	return (undef, $said);
}

# All is well, and the schedule, or in the short set this, has started a backup from now on that has completed.
sub await_backup
{
	my ($self, $seconds) = @_;
	my $begin = time;
	my $type = $self->{is_short} ? 'manual' : 'scheduled';
	my $is_asked = !$self->{is_short};
	return $self->await($seconds, sub {
		$is_asked ||= eval { $self->sql(q{SELECT pgbackup.create('shop')}) };
		return 0 unless $_[0] eq 'healthy';
		return $self->sql(qq{SELECT count(*) > 0 FROM pgbackup.backups
			WHERE created_at > to_timestamp($begin) AND backup_type = '$type' AND status = 'completed'}) eq 't';
	});
}

sub seconds { return defined $_[0] ? sprintf('%5.1f s', $_[0]) : '  never' }

# One assertion for each outage; its title is a line of the table: how long until it was noticed and until all went on.
sub test_outages
{
	my ($name, @wanted) = @_;
	plan skip_all => 'no outage is chosen' unless @wanted;
	local $ENV{AWS_ACCESS_KEY_ID} = 'key';
	local $ENV{AWS_SECRET_ACCESS_KEY} = 'secret';
	my $self = Outages->new($name);
	$self->{is_short} = $name eq 'short';
	my ($ready, $first) = $self->await_backup($resumed_within);
	ok(defined $ready, 'at first all is well') or diag($first);
	for my $outage (@wanted)
	{
	  SKIP:
		{
			skip "$outage->{name}: not possible here", 1 if $outage->{needs} && !$outage->{needs}->();
			my ($noticed, $said, $resumed, $after) = (undef, '');
			eval
			{
				$outage->{begin}->($self);
				if ($outage->{harmless}) { ($noticed, $said) = $self->await_backup($noticed_within) }
				else { ($noticed, $said) = $self->await($noticed_within, sub { $_[0] =~ $outage->{reason} }) }
				$outage->{end}->($self) if $outage->{end};
				($resumed, $after) = $self->await_backup($outage->{resumed_within} // $resumed_within);
				1;
			} or $after = $@;
			my $what = $outage->{harmless} ? 'goes on' : 'noticed';
			ok(defined $noticed && defined $resumed, sprintf '%-42s %s %s, resumed %s', $outage->{name}, $what, seconds($noticed), seconds($resumed))
			  or diag("during: $said", 'afterwards: ' . ($after // ''));
			$self->unlock;
		}
	}
	$self->{node}->stop('fast');
	done_testing();
	return;
}

1;
