# Days of a cluster that backs up on two schedules, with a clock that the test moves and outages that it draws. A model
# that knows what is injected says which databases are well, and what became of each time of a schedule; pgbackup has
# to say the same at every moment that it is asked.
package Year;

use strict;
use warnings;

use Exporter 'import';
use FakeClock;
use List::Util qw(shuffle);
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(simulate outage_names);

my $day = 86400;
my $hour = 3600;
# How old the newest backup of a database may be: more than a week, since one of the schedules is weekly.
my $oldest = 9 * $day;

# Of each outage: `begin` and `end`, which get the state. While it lasts: `stops`, all databases are ill and nothing is
# run; `fails`, the runs of these databases fail; `closed`, these are left out. An outage without `end` is over by
# itself. Locks are not among them: the library that moves the clock does not let timeouts of waits expire.
my %outages = (
	'none' => { begin => sub { } },
	'launcher is terminated' => {
		begin => sub { give_clock($_[0]{node}) } },
	'launcher is stopped' => { stops => 1,
		begin => sub { $_[0]{pid} = $_[0]->sql('SELECT pgbackup.launcher_pid()'); kill 'STOP', $_[0]{pid} },
		end => sub { kill 'CONT', $_[0]{pid} } },
	'server is down for hours' => { down => sub { 1 + int rand 20 } },
	'server is down for days' => { down => sub { 30 + int rand 50 } },
	'storage is away' => { fails => sub { 1 },
		begin => sub { rename $_[0]{store}, "$_[0]{store}.away" or die $!; PostgreSQL::Test::Utils::append_to_file($_[0]{store}, '') },
		end => sub { unlink $_[0]{store} or die $!; rename "$_[0]{store}.away", $_[0]{store} or die $! } },
	'programs are missing' => { fails => sub { 1 },
		begin => sub { mkdir "$_[0]{store}.nothing"; $_[0]->settings('pgbackup.bin_directory' => "$_[0]{store}.nothing") },
		end => sub { $_[0]->settings('pgbackup.bin_directory' => '') } },
	'a database accepts no connections' => { closed => 1,
		begin => sub { $_[0]->sql("ALTER DATABASE $_[0]{victim} ALLOW_CONNECTIONS false") },
		end => sub { $_[0]->sql("ALTER DATABASE $_[0]{victim} ALLOW_CONNECTIONS true") } },
	'the weekly schedule is off' => { off => 'weekly',
		begin => sub { $_[0]->sql(q{SELECT pgbackup.schedule('weekly', '0 4 * * sun', databases => 'w%', enabled => false)}) },
		# From then on it owes nothing from before.
		end => sub {
			$_[0]->sql(q{SELECT pgbackup.schedule('weekly', '0 4 * * sun', databases => 'w%')});
			$_[0]{model}{$_}{is_owed} = 0 for $_[0]->covered('weekly') } });

sub outage_names { return sort grep { $_ ne 'none' } keys %outages }

sub new
{
	my ($class, %size) = @_;
	my $library = find_fake_clock();
	use_fake_clock();
	$ENV{LD_PRELOAD} = $library;  # of servers; what else starts here does not mind
	my $self = bless { model => {} }, $class;
	my $node = $self->{node} = new_cluster('year', timezone => 'UTC', 'pgbackup.timezone' => 'UTC', 'pgbackup.schedule' => '0 3 * * *',
		'pgbackup.databases' => 'd%', 'pgbackup.retry_count' => 0,
		'pgbackup.max_backup_age' => "$oldest s", 'pgbackup.max_concurrent' => 2, autovacuum => 'off', log_statement => 'none');
	$self->{store} = $node->basedir . '/store';
	my @databases = ((map { sprintf 'd%02d', $_ } 1 .. $size{daily}), map { sprintf 'w%02d', $_ } 1 .. $size{weekly});
	for my $database (@databases)
	{
		$node->safe_psql('postgres', "CREATE DATABASE $database");
		$node->safe_psql($database, 'CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 100) g');
	}
	$self->{databases} = \@databases;
	give_clock($node);
	$node->safe_psql('postgres', q{SELECT pgbackup.schedule('weekly', '0 4 * * sun', databases => 'w%')});
	# Everybody has a backup to begin with.
	$node->safe_psql('postgres', join '; ', map { "SELECT pgbackup.create('$_')" } @databases);
	$self->settle;
	$self->{model}{$_} = { good => fake_now(), last => 'good' } for @databases;
	return $self;
}

sub sql { my ($self, $sql, $database) = @_; return $self->{node}->safe_psql($database // 'postgres', $sql) }
sub settings { my ($self, %settings) = @_; restart_settings($self->{node}, %settings); return }

# Lets the launcher look at the clock.
sub wake { $_[0]->sql('SELECT pgbackup._wake_launcher()'); return }

# After time has passed at once the launcher seems to have slept for as long.
sub awaken
{
	my ($self) = @_;
	$self->wake;
	$self->{node}->poll_query_until('postgres', 'SELECT pid IS NOT NULL AND NOT is_stuck FROM pgbackup._launcher_state()') or die;
	return;
}

# The times of a schedule after one moment, up to another.
sub slots_of
{
	my ($self, $schedule, $from, $to) = @_;
	my $at = $schedule eq 'default' ? 3 * $hour : 4 * $hour;
	my @slots;
	for (my $slot = int($from / $day) * $day + $at; $slot <= $to; $slot += $day)
	{
		next if $slot <= $from || $schedule eq 'weekly' && (gmtime $slot)[6] != 0;
		push @slots, $slot;
	}
	return @slots;
}

sub covered { my ($self, $schedule) = @_; my $mark = $schedule eq 'default' ? 'd' : 'w'; return grep { /^$mark/ } @{ $self->{databases} } }

# Waits until the times of the schedules are settled, and all runs have ended.
sub settle
{
	my ($self, %latest) = @_;
	for my $schedule (sort keys %latest)
	{
		$self->wake;
		$self->{node}->poll_query_until('postgres',
			"SELECT count(*) > 0 FROM pgbackup.slots WHERE schedule = '$schedule' AND slot >= to_timestamp($latest{$schedule}) AND decided_at IS NOT NULL")
		  or die "schedule $schedule is not settled";
	}
	$self->{node}->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pgbackup.backups WHERE status IN ('pending', 'in_progress')}) or die;
	return;
}

# What the model says of a database: well or ill.
sub expected
{
	my ($self, $database) = @_;
	my $state = $self->{model}{$database};
	return 'ill' if $self->{outage}{stops};
	return 'ill' if $self->{outage}{closed} && $database eq $self->{victim};
	return 'absent|ill' if ($self->{outage}{off} // '') eq 'weekly' && $database =~ /^w/;
	return $state->{last} eq 'good' && !$state->{is_owed} && fake_now() - $state->{good} < $oldest ? 'well' : 'ill';
}

# Compares pgbackup.health() with the model. What does not respond is found within 90 seconds.
sub compare
{
	my ($self, $when) = @_;
	my @wrong;
	$self->awaken unless $self->{outage}{stops};
	my $rows = $self->sql(q{SELECT database, CASE status WHEN 'healthy' THEN 'well' ELSE 'ill' END, array_to_string(reasons, '; ') FROM pgbackup.health()});
	my %said = map { my ($name, $state, $why) = split /\|/, $_, 3; ($name => [ $state, $why ]) } split /\n/, $rows;
	if ($self->{outage}{stops} && keys %said == 1)
	{
		my ($only) = values %said;
		push @wrong, 'healthy' if $only->[0] eq 'well';
	}
	else
	{
		for my $database (@{ $self->{databases} })
		{
			my $expected = $self->expected($database);
			my $said = $said{$database} // [ 'absent', '' ];
			push @wrong, "$database: $said->[0] ($said->[1]), not $expected" if $said->[0] !~ /^(?:$expected)$/;
		}
	}
	++$self->{compared};
	return if !@wrong;
	++$self->{disagreements};
	diag(join "\n", "$when, " . gmtime(fake_now()) . ':', @wrong > 5 ? (@wrong[ 0 .. 4 ], '…') : @wrong);
	return;
}

# Each time of the schedules between two moments has one record, and those that were run a run of each database.
sub account
{
	my ($self, $from, $to) = @_;
	for my $schedule ('default', 'weekly')
	{
		next if ($self->{outage}{off} // '') eq $schedule;
		for my $slot ($self->slots_of($schedule, $from, $to))
		{
			++$self->{accounted};
			my ($records, $outcome) = split /\|/, $self->sql(qq{SELECT count(*), min(outcome) FROM pgbackup.slots
				WHERE schedule = '$schedule' AND to_timestamp($slot) BETWEEN first_slot AND slot});
			my $runs = $self->sql(qq{SELECT count(*) || ' of ' || count(DISTINCT database) FROM pgbackup.backups
				WHERE schedule = '$schedule' AND slot = to_timestamp($slot) AND retry_of IS NULL});
			my $count = $self->covered($schedule);
			--$count if $self->{outage}{closed} && grep { $_ eq $self->{victim} } $self->covered($schedule);
			my $expected = $outcome =~ /^(?:run|caught_up)$/ ? "$count of $count" : '0 of 0';
			next if $records == 1 && $runs eq $expected;
			++$self->{unaccounted};
			diag("schedule $schedule, " . gmtime($slot) . ": $records records, $outcome, runs: $runs, not $expected");
		}
	}
	return;
}

# What the runs of a time make of the model.
sub note_runs
{
	my ($self, $schedule) = @_;
	for my $database ($self->covered($schedule))
	{
		my $state = $self->{model}{$database};
		# Of one that is left out the schedule owes a backup until its next time.
		$state->{is_owed} = $self->{outage}{closed} && $database eq $self->{victim};
		next if $state->{is_owed};
		if ($self->{outage}{fails} && $self->{outage}{fails}->($self, $database)) { $state->{last} = 'failed' }
		else { @$state{qw(last good)} = ('good', fake_now()) }
	}
	return;
}

# The next day, over the times of both schedules.
sub one_day
{
	my ($self, $name) = @_;
	my $outage = $self->{outage} = $outages{$name};
	my $from = fake_now();
	my $next = (int(($from - 2.9 * $hour) / $day) + 1) * $day + 2.9 * $hour;
	pass_time($next - $from);
	my @all = @{ $self->{databases} };
	$self->{victim} = $all[ rand @all ];
	if ($outage->{down})
	{
		$self->{node}->stop('fast');
		pass_time($outage->{down}->() * $hour);
		# The rest of the day is looked at before the next time of a schedule comes.
		my $of_day = fake_now() % $day;
		pass_time(2 * $hour) if $of_day > 2.5 * $hour && $of_day < 4 * $hour;
		$self->{node}->start;
		give_clock($self->{node});
	}
	else
	{
		$outage->{begin}->($self);
		pass_time(1.5 * $hour);
	}
	my $now = fake_now();
	my %due = map { my @slots = $self->slots_of($_, $from, $now); @slots ? ($_ => $slots[-1]) : () } grep { ($outage->{off} // '') ne $_ } 'default', 'weekly';
	if (!$outage->{stops})
	{
		$self->settle(%due);
		$now - $due{$_} <= $day and $self->note_runs($_) for keys %due;
	}
	pass_time(120);
	$self->compare("$name, while it lasts") unless $outage->{down};
	if ($outage->{stops})
	{
		$outage->{end}->($self);
		$self->{outage} = {};
		$self->settle(%due);
		$self->note_runs($_) for keys %due;
	}
	elsif ($outage->{end}) { $outage->{end}->($self) }
	$self->account($from, $now);
	$self->{outage} = {};
	pass_time(300);
	$self->compare("$name, afterwards");
	return;
}

# So many days; each outage at least once when there are enough of them. Prints what was injected.
sub simulate
{
	my (%size) = @_;
	my $self = Year->new(%size);
	my @names = outage_names();
	my @queue = shuffle(@names);
	my %injected;
	for my $n (1 .. $size{days})
	{
		my $name = rand() < $size{outages} ? shift(@queue) // $names[ rand @names ] : 'none';
		++$injected{$name};
		$self->one_day($name);
		note("day $n of $size{days}: $name") if $n % 10 == 0;
	}
	diag(join "\n", 'days with:', map { sprintf '%5d %s', $injected{$_}, $_ } sort keys %injected);
	is($self->{disagreements} // 0, 0, "health() agrees with the model at $self->{compared} moments");
	is($self->{unaccounted} // 0, 0, "$self->{accounted} times of schedules are accounted for once");
	is($self->sql(q{SELECT count(*) FROM (SELECT schedule, slot, database FROM pgbackup.backups WHERE slot IS NOT NULL AND retry_of IS NULL
		GROUP BY 1, 2, 3 HAVING count(*) > 1) AS d}), 0, 'no time was run twice');
	$self->{node}->stop;
	return;
}

1;
