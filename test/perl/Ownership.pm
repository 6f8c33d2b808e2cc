# Several servers, copies of servers and runs on one storage: none overwrites, removes or hides what another
# one has stored, and what is removed is what this server may remove.
package Ownership;

use strict;
use warnings;

use CommandLine;
use Exporter 'import';
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SharedStorage qw(copy_of);
use Test::More;

our @EXPORT = qw(test_ownership);

my ($storage, $one, $two, $clone);  # the storage, two servers, a copy of the first one
my $slow;                           # a folder of programs that wait
my ($labelled, @of_one);            # backups

# A backup that completes; returns its id.
sub completed
{
	my ($node, $arguments, $title) = @_;
	my $id = start_backup($node, $arguments);
	is(finished($node, $id), 'completed', $title) or diag(explain(row_of($node, $id)));
	return $id;
}

# All completed backups of a server are what was stored.
sub all_verify
{
	my ($node, $title) = @_;
	my @bad = grep { finished($node, $node->safe_psql('postgres', "SELECT pgbackup.verify($_, 'checksum')")) ne 'completed' }
	  split /\n/, $node->safe_psql('postgres', q{SELECT id FROM pgbackup.backups WHERE status = 'completed' ORDER BY id});
	is("@bad", '', $title);
	# What has been verified is recorded in the storage, too.
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.unstored_marks') or die;
	return;
}

sub refuses
{
	my ($node, $arguments, $pattern, $title) = @_;
	my @before = $storage->files;
	my $id = start_backup($node, $arguments);
	is(finished($node, $id), 'failed', "$title: the run fails");
	my $row = row_of($node, $id);
	like("$row->{message} $row->{detail}", $pattern, "$title: saying why");
	like($row->{hint}, qr/pgbackup\.name_template/, "$title: and what to do");
	is_deeply([ $storage->files ], \@before, "$title: nothing has changed");
	return $id;
}

# Nothing is waiting to be removed that has not been tried.
sub removals_tried
{
	my ($node) = @_;
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals WHERE attempts = 0') or die;
	return;
}

sub retry_removals
{
	my ($node) = @_;
	$node->safe_psql('postgres', 'UPDATE pgbackup.removals SET not_before = now(), attempts = 0; SELECT pgbackup._wake_launcher()');
	removals_tried($node);
	return;
}

sub may_remove
{
	my ($node) = @_;
	return $node->safe_psql('postgres', q{SELECT pgbackup._may_remove(current_setting('pgbackup.storage'))});
}

sub reasons
{
	my ($node) = @_;
	return $node->safe_psql('postgres', q{SELECT array_to_string(reasons, E'\n') FROM pgbackup.health() LIMIT 1});
}

sub make_servers
{
	my %shared = ($storage->settings, 'pgbackup.databases' => 'postgres', 'pgbackup.retry_count' => 0);

	$one = new_cluster('one', %shared, 'pgbackup.cluster_name' => 'main', 'pgbackup.max_concurrent' => 2,
		wal_level => 'replica', max_wal_senders => 5);
	$two = new_cluster('two', %shared, 'pgbackup.cluster_name' => 'main');
	for my $node ($one, $two)
	{
		$node->safe_psql('postgres', 'CREATE TABLE who AS SELECT ' . $node->port . ' AS port, generate_series(1, 1000)');
	}
	return;
}

# Two servers with the same names and ids.
sub keep_their_own
{
	for (1 .. 3)
	{
		my @ids = map { start_backup($_, q{'postgres'}) } $one, $two;
		is($ids[0], $ids[1], 'the same id');
		is(finished($one, $ids[0]), 'completed', 'one server completes');
		is(finished($two, $ids[1]), 'completed', 'and the other');
	}
	my %folder = map { $_->name => row_of($_, 1)->{file_name} } $one, $two;
	isnt($folder{one}, $folder{two}, 'with the default template each has folders of its own');
	all_verify($_, $_->name . ': they are its own') for $one, $two;
	is($one->safe_psql('postgres', q{SELECT string_agg(DISTINCT instance, ',') FROM pgbackup.list()}),
		$folder{one} =~ s{^main-([0-9a-f]{8})/.*}{$1}r, 'list() shows the server');

	# The command line tells them apart, and import() takes neither for the other.
	my %instance = map { $_ => $folder{$_} =~ s{^main-([0-9a-f]{8})/.*}{$1}r } keys %folder;
	my @verify = ('verify', 'latest', $storage->arguments, '--database', 'postgres', '-q');
	my ($status, $out, $err) = pgbackup($one, @verify);
	is($status, 2, 'the latest backup of two servers is nobody\'s');
	like($err, qr/does not say of which server/, 'saying so');
	like($err, qr/instance $instance{$_}/, "naming server $_") for sort keys %instance;
	is((pgbackup($one, @verify, '--cluster', $instance{two}))[0], 0, 'with the instance it is one');
	($status, $out, $err) = pgbackup($one, 'list', $storage->arguments, '-q');
	is(join(' ', sort map { (split /\t/)[8] } split /\n/, $out), join(' ', sort(($instance{one}) x 3, ($instance{two}) x 3)),
		'list shows the instances');
	is($one->safe_psql('postgres', 'SELECT pgbackup.import()'), 3, 'import() enters the backups of the other server');
	is($one->safe_psql('postgres', "SELECT count(*) FROM pgbackup.backups WHERE instance = '$instance{two}' AND pinned"), 3, 'pinned');
	$one->safe_psql('postgres', "SELECT pgbackup.pin(id, false) FROM pgbackup.backups WHERE instance = '$instance{two}'");
	$one->safe_psql('postgres', "SELECT pgbackup.delete(id, true) FROM pgbackup.backups WHERE instance = '$instance{two}'");
	removals_tried($one);
	like($one->safe_psql('postgres', 'SELECT min(message) FROM pgbackup.removals'), qr/another server may remove what lies in/,
		'and cannot remove them, pinned or not');
	$one->safe_psql('postgres', 'DELETE FROM pgbackup.removals');
	all_verify($two, 'they are there');
	return;
}

# One folder for two servers, and for two runs.
sub share_no_folder
{
	restart_settings($_, 'pgbackup.name_template' => '{database}/{time:%Y}') for $one, $two;
	my $first = completed($one, q{'postgres'}, 'the first in a folder');
	refuses($two, q{'postgres'}, qr/belongs to another run.*Backup $first of database "postgres" of cluster "main"/, 'another server');
	my $again = refuses($one, q{'postgres'}, qr/belongs to another run/, 'another run');
	$one->safe_psql('postgres', "SELECT pgbackup.delete($again, true)");
	all_verify($one, 'the first is as it was');
	restart_settings($_, 'pgbackup.name_template' => '{database}/x{time:%Y}') for $one;
	$slow = slow_programs($one);
	$one->safe_psql('postgres', q{CREATE TABLE large AS SELECT md5(i::text) FROM generate_series(1, 5000) i});
	restart_settings($one, 'pgbackup.bin_directory' => $slow);
	my $dumping = start_backup($one, q{'postgres'});
	wait_for_file("$slow/reached");
	restart_settings($one, 'pgbackup.bin_directory' => '');
	my $beside = start_backup($one, q{'postgres'});
	is(finished($one, $beside), 'failed', 'a second run at the same time fails');
	like(row_of($one, $beside)->{message}, qr/belongs to another run/, 'saying why');
	PostgreSQL::Test::Utils::append_to_file("$slow/go", '');
	is(finished($one, $dumping), 'completed', 'and the first one completes');
	all_verify($one, 'undamaged');
	unlink "$slow/go", "$slow/reached" or die;
	return;
}

# Folders do not nest.
sub do_not_nest
{
	restart_settings($one, 'pgbackup.name_template' => 'n/{database}/{time:%Y}/{label}');
	$labelled = completed($one, q{'postgres', label => 'before-upgrade'}, 'a backup with a label');
	refuses($one, q{'postgres'}, qr/contains the folder of another backup, "n\/postgres\/\d+\/before-upgrade"/, 'its parent as a folder');
	restart_settings($one, 'pgbackup.name_template' => 'n/{database}/{time:%Y}/{label}/{id}');
	refuses($one, q{'postgres', label => 'before-upgrade'}, qr/lies in the folder of another backup/, 'a folder in it');
	restart_settings($one, 'pgbackup.name_template' => 'n/{database}/{time:%Y}/{label}');
	all_verify($one, 'the labelled one is as it was');
	return;
}

# What is deleted is removed when the storage is the one it was.
sub remove_what_is_seen
{
	my @removal = ('postgres', "SELECT message FROM pgbackup.removals WHERE run_id = $labelled");
	my $begun = 0;
	for my $loss ($storage->losses)
	{
		my ($title, $message, $lose, $mend) = @$loss;
		$lose->();
		if ($begun++) { retry_removals($one) }
		else
		{
			$one->safe_psql('postgres', "SELECT pgbackup.delete($labelled, true)");
			removals_tried($one);
		}
		like($one->safe_psql(@removal), $message, "$title: a deletion waits");
		$mend->();
		ok((grep { m{^n/} } $storage->files), "$title: nothing is removed meanwhile");
	}
	retry_removals($one);
	is(join(' ', grep { m{^n/} } $storage->files), '', 'then it is done');
	is($one->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.removals'), 0, 'and nothing is left to do');
	return;
}

# A clone: it makes backups, and removes nothing.
sub clone_removes_nothing
{
	restart_settings($_, 'pgbackup.name_template' => '{cluster}-{instance}/{database}/{id}') for $one, $two;
	$one->stop;
	$clone = copy_of($one, 'clone');
	$_->start for $one, $clone;
	@of_one = split /\n/, $one->safe_psql('postgres', q{SELECT id FROM pgbackup.backups WHERE status = 'completed' ORDER BY id});
	my @files = $storage->files;
	is(may_remove($clone), 'f', 'a clone knows that it is one');
	like(reasons($clone), qr/this server is a copy of another one/, 'health() says so');
	unlike(reasons($one), qr/copy of another|may remove/, 'and has nothing to say about the server it is a copy of');
	restart_settings($clone, 'pgbackup.retention_count' => 1);
	$clone->safe_psql('postgres', 'SELECT FROM pgbackup.cleanup()');
	removals_tried($clone);
	is_deeply([ $storage->files ], \@files, 'its retention removes nothing before its first backup');
	my $of_clone = completed($clone, q{'postgres'}, 'a clone makes backups');
	completed($clone, q{'postgres'}, 'and again');
	like(reasons($clone), qr/another server \(instance [0-9a-f]{8} of cluster "main", last there at .*\) may remove backups.*take_over_storage/,
		'then it knows who may remove backups');
	like($clone->safe_psql('postgres', q{SELECT reason FROM pgbackup.retention_plan() WHERE action = 'keep' LIMIT 1}), qr/./, 'the plan can be asked');
	is($clone->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.retention_plan() WHERE action <> 'keep'}), 0, 'and deletes nothing');
	$clone->safe_psql('postgres', "SELECT pgbackup.delete($of_one[0], true)");
	removals_tried($clone);
	like($clone->safe_psql('postgres', "SELECT message FROM pgbackup.removals WHERE run_id = $of_one[0]"),
		qr/another server may remove what lies in .*, not this one/, 'nor does it delete by hand');
	my $next = completed($one, q{'postgres'}, 'the server goes on');
	is($next, $of_clone, 'with the same ids');
	all_verify($one, 'its backups are there');
	all_verify($clone, 'and those of the clone');
	is(may_remove($one), 't', 'the server may remove its backups');
	return;
}

# What it takes over by hand.
sub clone_takes_over
{
	my $taken = $clone->safe_psql('postgres', 'SELECT previous_cluster, previous_instance FROM pgbackup.take_over_storage()');
	like($taken, qr/^main\|[0-9a-f]{8}$/, 'take_over_storage() says from whom');
	is(may_remove($clone), 't', 'then the clone may remove');
	retry_removals($clone);
	is($clone->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.removals'), 0, 'what was refused is done');
	completed($one, q{'postgres'}, 'the server that has lost the lease makes backups');
	like(reasons($one), qr/may remove backups from .*, so this one removes none/, 'and says that it removes none');
	is($one->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.take_over_storage()'), 1, 'it takes it back');
	my ($status, $out, $err) = $one->psql('postgres', q{SELECT pgbackup.take_over_storage(token => 'nonsense')});
	like($err, qr/invalid token.*HINT/s, 'a token is checked');
	($status, $out, $err) = $one->psql('postgres', q{SELECT pgbackup.take_over_storage(token => repeat('0', 32))});
	like($err, qr/no server with token "0{32}" has left a marker/, 'and has to be one of a server there');
	$one->safe_psql('postgres', "SELECT pgbackup.delete($of_one[0])");
	$clone->stop;
	return;
}

# A base backup, taken while the server dumps: the copy takes the run for interrupted.
sub copy_finds_a_run
{
	restart_settings($one, 'pgbackup.bin_directory' => $slow);
	my $dumping = start_backup($one, q{'postgres'});
	wait_for_file("$slow/reached");
	$one->backup('during');
	my $copy = PostgreSQL::Test::Cluster->new('copy');
	$copy->init_from_backup($one, 'during');
	$copy->append_conf('postgresql.conf', "pgbackup.bin_directory = ''");
	$copy->start;
	is(finished($copy, $dumping), 'failed', 'a copy takes a run for interrupted');
	removals_tried($copy);
	like($copy->safe_psql('postgres', "SELECT message FROM pgbackup.removals WHERE run_id = $dumping"),
		qr/another server may remove/, 'and may not remove what it has written');
	PostgreSQL::Test::Utils::append_to_file("$slow/go", '');
	is(finished($one, $dumping), 'completed', 'the run completes');
	restart_settings($one, 'pgbackup.bin_directory' => '');
	all_verify($one, 'with all of its objects');
	my @files = $storage->files;
	retry_removals($copy);
	is($copy->safe_psql('postgres', "SELECT status FROM pgbackup.backups WHERE id = $dumping"), 'completed',
		'the copy finds out that it is complete') or diag(explain(row_of($copy, $dumping)));
	is_deeply([ $storage->files ], \@files, 'and removes nothing');
	is(finished($copy, $copy->safe_psql('postgres', "SELECT pgbackup.verify($dumping, 'archive')")), 'completed', 'it can be used there');
	$copy->stop;
	return;
}

# Failover. The marker is made older than it is, since the wait is a day.
sub fail_over
{
	$one->backup('standby');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($one, 'standby', has_streaming => 1);
	$standby->start;
	$one->wait_for_catchup('standby');
	$standby->promote;
	my $promoted = completed($standby, q{'postgres'}, 'a promoted standby makes backups at once');
	completed($one, q{'postgres'}, 'also beside the old primary');
	is(may_remove($standby), 'f', 'it removes nothing while the old primary is about');
	$one->stop;
	# The old primary has long been silent.
	$storage->change_markers(sub { $_[0] =~ s/("renewed_at":")\d{4}/${1}2001/r });
	restart_settings($standby, 'pgbackup.retention_count' => 1);
	my $last = completed($standby, q{'postgres'}, 'then the promoted server takes over by itself');
	is(may_remove($standby), 't', 'without a hand');
	$standby->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pgbackup.retention_plan() WHERE action = 'delete'}) or die;
	isnt($standby->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.backups WHERE status = 'expired'}), 0, 'its retention removes backups');
	is($standby->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.removals'), 0, 'from the storage, too');
	all_verify($standby, 'and leaves the others');
	all_verify($two, 'and the other server has all of its own');
	$standby->stop;
	$two->stop;
	return;
}

# In a folder that holds nothing.
sub test_ownership
{
	($storage) = @_;
	make_servers();
	keep_their_own();
	share_no_folder();
	do_not_nest();
	remove_what_is_seen();
	clone_removes_nothing();
	clone_takes_over();
	copy_finds_a_run();
	fail_over();
	return;
}

1;
