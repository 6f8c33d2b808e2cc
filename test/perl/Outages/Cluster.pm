# What outages are tried on: a cluster that backs up database "shop" every minute, with all that it takes to bring it down and
# to see how it is.
package Outages::Cluster;

use strict;
use warnings;

use IO::Socket::INET;
use Installation;
use IPC::Run;
use Outages::LogLines;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time usleep);

# With a superuser that is not the extension's owner: the session of a person. own_installation: a copy of the server's, which
# may be changed.
sub new
{
	my ($class, $name, %options) = @_;
	my $self = bless { sessions => [] }, $class;
	$self->{installation} = copy_of_installation() if $options{own_installation};
	my $node = $self->{node} = new_cluster($name, 'pgbackup.databases' => 'shop', 'pgbackup.schedule' => '* * * * *',
		-install_path => $self->{installation}, wal_level => 'replica', max_wal_senders => 4,
		max_connections => 20, superuser_reserved_connections => 0, restart_after_crash => 'on', %Outages::LogLines::settings);
	$self->{store} = $node->basedir . '/store';
	$node->safe_psql('postgres', 'CREATE ROLE tester SUPERUSER LOGIN; CREATE ROLE nobody');
	$self->create_shop;
	$self->{slow} = slow_programs($node);
	return $self;
}

# Always as large as before, or its backup is suspiciously small.
sub create_shop
{
	my ($self) = @_;
	$self->sql('CREATE DATABASE shop TEMPLATE template0');
	$self->sql('CREATE TABLE orders AS SELECT n, md5(n::text) AS note FROM generate_series(1, 5000) AS n', 'shop');
	return;
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
	$self->{node}->restart;
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

# Has a superuser of that name create the extension anew.
sub create_as
{
	my ($self, $role) = @_;
	$self->sql("CREATE ROLE $role SUPERUSER LOGIN") if $self->sql("SELECT count(*) FROM pg_roles WHERE rolname = '$role'") == 0;
	$self->sql("ALTER ROLE $role SUPERUSER");
	$self->sql("DROP EXTENSION IF EXISTS pgbackup; SET ROLE $role; CREATE EXTENSION pgbackup");
	return;
}

sub library { my ($self) = @_; return library_of($self->{node}) }

sub replace_library { my ($self, $change) = @_; change_library($self->{node}, $change); return }

# A copy takes the place of the server, whose machine is lost.
sub replace_server
{
	my ($self, $name, %how) = @_;
	my $old = $self->{node};
	$old->backup($name);
	my $new = PostgreSQL::Test::Cluster->new($old->name . "_$name", install_path => $self->{installation});
	$new->init_from_backup($old, $name, %how);
	$new->start;
	$old->wait_for_catchup($new) if $how{has_streaming};
	$old->stop('immediate');
	$new->promote if $how{has_streaming};
	$self->{node} = $new;
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

# Of databases of their own.
sub run_many
{
	my ($self, $count) = @_;
	for (1 .. $count)
	{
		$self->sql("CREATE DATABASE many_$_");
		$self->sql("SELECT pgbackup.create('many_$_')");
	}
	wait_until(sub { $self->sql(q{SELECT count(*) FROM pgbackup.backups WHERE database ~ '^many_' AND status IN ('pending', 'in_progress')}) == 0 }, 'the runs');
	return;
}

sub lose_storage
{
	my ($self) = @_;
	rename $self->{store}, "$self->{store}.away" or die "$self->{store}: $!";
	append_to_file($self->{store}, '');
	return;
}

sub find_storage
{
	my ($self) = @_;
	unlink $self->{store};
	rename "$self->{store}.away", $self->{store} or die "$self->{store}: $!";
	return;
}

# The same, and it completes.
sub run_well
{
	my ($self) = @_;
	$self->run;
	my $status = $self->sql("SELECT pgbackup.wait($self->{id}, '60 s')");
	die "the run is $status" if $status ne 'completed';
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

# Waits until the schedule has made a backup from now on, whatever health() says.
sub await_schedule
{
	my ($self) = @_;
	my $begin = time;
	wait_until(sub { $self->sql(qq{SELECT count(*) > 0 FROM pgbackup.backups
		WHERE created_at > to_timestamp($begin) AND backup_type = 'scheduled' AND status = 'completed'}) eq 't' }, 'a backup of the schedule');
	return;
}

# Lets the queue of NOTIFY fill: a session in a transaction takes nothing from it. Where its size cannot be set it counts as
# full when it has little in it.
sub fill_queue
{
	my ($self) = @_;
	my $has_size = $self->sql(q{SELECT count(*) FROM pg_settings WHERE name = 'max_notify_queue_pages'});
	$self->restart(max_notify_queue_pages => 64) if $has_size;
	$self->limit_queue('0.00001') if !$has_size;
	$self->session('postgres', 'LISTEN noise; BEGIN; SELECT 1') or die 'no session listens';
	my $code = 0;
	for (my $n = 0; $code == 0 && $n < ($has_size ? 1000 : 1); $n++)
	{
		($code) = $self->answer(q{SELECT count(pg_notify('noise', repeat(chr(65 + n % 26), 7000) || n)) FROM generate_series(1, 20) AS n});
	}
	die 'the queue does not fill' if $has_size && $code == 0;
	return;
}

sub limit_queue
{
	my ($self, $limit) = @_;
	$self->{queue_limit} //= $self->sql('SELECT pgbackup._notify_limit()');
	$self->sql(qq{CREATE OR REPLACE FUNCTION pgbackup._notify_limit() RETURNS double precision
		LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS 'SELECT ${limit}::double precision'});
	return;
}

sub empty_queue
{
	my ($self) = @_;
	$self->unlock;
	$self->limit_queue($self->{queue_limit}) if defined $self->{queue_limit};
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

1;
