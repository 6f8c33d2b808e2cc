# Servers, copies of them and retries on one storage, in schedules drawn at random: what any server calls
# completed must verify in the end, and each server must end with what its retention says.
package SharedStorage;

use strict;
use warnings;

use Exporter 'import';
use File::Path qw(make_path);
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use S3;
use Test::More;
use Time::HiRes qw(usleep);

our @EXPORT = qw(shared_setup shared_schedule shared_end);
our @EXPORT_OK = qw(copy_of);

my @templates = (
	'{cluster}-{instance}/{database}/backup_{database}_{time:%Y-%m-%d_%H-%M-%S}_{id}',
	'{database}/{id}',
	'{database}/{time:%Y-%m-%d_%H-%M-%S}',
	'{database}/{time:%Y-%m-%d}/{label}',
	'{database}/{time:%Y-%m-%d}/{label}/{id}',
	'{time:%Y}');

sub one_of { return $_[ int rand @_ ] }

sub value
{
	my ($node, $sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

# A copy of the data directory of a server, with a port of its own.
sub copy_of
{
	my ($node, $name) = @_;
	my $copy = PostgreSQL::Test::Cluster->new($name);
	make_path($copy->basedir);
	system('cp', '-a', $node->data_dir, $copy->data_dir) == 0 or die "cp: $?";
	$copy->append_conf('postgresql.conf', 'port = ' . $copy->port);
	return $copy;
}

# Two servers, a clone of the first one and a promoted standby of the second one.
sub shared_setup
{
	my %common = ('pgbackup.cluster_name' => 'main', 'pgbackup.retry_count' => 0, 'pgbackup.max_concurrent' => 2,
		wal_level => 'replica', max_wal_senders => 5, fsync => 'off');
	my ($one, $two) = map { new_cluster($_, %common) } qw(one two);
	for my $node ($one, $two)
	{
		value($node, q{CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 3000) i});
		value($node, 'CREATE DATABASE shop');
		$node->safe_psql('shop', 'CREATE TABLE s AS SELECT ' . $node->port . ' AS port, generate_series(1, 100) AS i');
	}
	$one->stop;
	my $clone = copy_of($one, 'clone');
	$_->start for $one, $clone;
	$two->backup('base');
	my $promoted = PostgreSQL::Test::Cluster->new('promoted');
	$promoted->init_from_backup($two, 'base', has_streaming => 1);
	$promoted->start;
	$two->wait_for_catchup('promoted');
	$promoted->promote;
	return { nodes => [ $one, $two, $clone, $promoted ], store => PostgreSQL::Test::Utils::tempdir() };
}

sub settings_of_storage
{
	my ($setup, $seed, $on_s3) = @_;
	# As pg_settings shows it, which restart_settings compares.
	return s3_settings("shared-$$-$seed", 'pgbackup.s3_part_size' => 5) if $on_s3;
	return ('pgbackup.storage' => "file://$setup->{store}/$seed");
}

# A step of a schedule by one server.
my %steps = (
	backup => sub {
		my ($node) = @_;
		my $label = one_of('', q{, label => 'a'}, q{, label => 'b'});
		value($node, 'SELECT pgbackup.create(' . one_of(q{'postgres'}, q{'shop'}) . "$label)");
	},
	cancel => sub {
		my ($node) = @_;
		value($node, q{SELECT pgbackup.cancel(id) FROM pgbackup.backups WHERE status IN ('pending', 'in_progress') LIMIT 1});
	},
	kill_agent => sub {
		my ($node) = @_;
		my $pid = value($node, q{SELECT agent_pid FROM pgbackup.progress WHERE agent_pid IS NOT NULL LIMIT 1});
		kill 'KILL', $pid if $pid =~ /^\d+$/;
	},
	crash => sub {
		my ($node) = @_;
		$node->stop('immediate');
		$node->start;
	},
	cleanup => sub { value($_[0], 'SELECT FROM pgbackup.cleanup()') },
	delete => sub {
		my ($node) = @_;
		# What a verification has in hand is refused: that is its right.
		$node->psql('postgres', q{SELECT pgbackup.delete(id, true) FROM pgbackup.backups WHERE status = 'completed' ORDER BY random() LIMIT 1});
	},
	retention => sub { restart_settings($_[0], 'pgbackup.retention_count' => one_of(0, 1, 3)) },
	template => sub { restart_settings($_[0], 'pgbackup.name_template' => one_of(@templates)) },
	import => sub { $_[0]->psql('postgres', 'SELECT pgbackup.import()') },
	wait => sub { usleep(1000 * int rand 400) });
my @weighted = (('backup') x 10, ('wait') x 4, ('kill_agent') x 2, qw(cancel crash cleanup delete retention template template import));

sub await_end
{
	my ($node) = @_;
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pgbackup.backups WHERE status IN ('pending', 'in_progress')}) or die;
	# Also what would be tried again later.
	value($node, 'UPDATE pgbackup.removals SET not_before = now(), attempts = 0; SELECT pgbackup._wake_launcher()');
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals WHERE attempts = 0') or die;
	return;
}

# What of a server's is wrong in the end.
sub damage
{
	my ($node) = @_;
	my @bad;
	my $storage = q{storage = current_setting('pgbackup.storage')};
	for my $id (split /\n/, value($node, "SELECT id FROM pgbackup.backups WHERE status = 'completed' AND $storage ORDER BY id"))
	{
		my $verification = value($node, "SELECT pgbackup.verify($id, 'checksum')");
		next if finished($node, $verification) eq 'completed';
		my $row = row_of($node, $verification, 'restores');
		# An imported backup is its maker's, who may have removed it.
		next if value($node, "SELECT pinned FROM pgbackup.backups WHERE id = $id") eq 't';
		push @bad, $node->name . " backup $id: $row->{message}";
	}
	my $left = value($node, q{SELECT count(*) FROM pgbackup.retention_plan() WHERE action = 'delete'});
	push @bad, $node->name . ": retention has left $left" if $left != 0;
	return @bad;
}

# One schedule; what it draws depends on the seed alone.
sub shared_schedule
{
	my ($setup, $seed, $on_s3) = @_;
	srand $seed;
	my @nodes = @{ $setup->{nodes} };
	my %storage = settings_of_storage($setup, $seed, $on_s3);
	restart_settings($_, %storage, 'pgbackup.retention_count' => one_of(0, 2), 'pgbackup.name_template' => one_of(@templates)) for @nodes;
	my @taken;
	for (1 .. 12 + int rand 12)
	{
		my ($node, $step) = (one_of(@nodes), one_of(@weighted));
		push @taken, $node->name . " $step";
		$steps{$step}->($node);
	}
	await_end($_) for @nodes;
	value($_, 'SELECT FROM pgbackup.cleanup()') for @nodes;
	await_end($_) for @nodes;
	my @bad = map { damage($_) } @nodes;
	is(join("\n", @bad), '', "seed $seed, " . ($on_s3 ? 'S3' : 'directory')) or diag(join "\n", @taken);
	# The next one begins without history.
	for my $node (@nodes)
	{
		restart_settings($node, 'pgbackup.retention_count' => 0);
		value($node, q{DELETE FROM pgbackup.removals; DELETE FROM pgbackup.backups});
	}
	return;
}

sub shared_end
{
	my ($setup) = @_;
	$_->stop for @{ $setup->{nodes} };
	return;
}

1;
