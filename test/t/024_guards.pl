# What stands between a DBA and a lost database: no replacing without a recent backup of what is replaced.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('guards', 'pgbackup.recent_backup_window' => '5min');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE TABLE orders AS SELECT n FROM generate_series(1, 100) AS n');
my $id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'a backup');

sub rows { return $node->safe_psql('shop', 'SELECT count(*) FROM orders') }

# There is a recent one: none is made.
my $run = start_restore($node, "$id, 'shop', replace => true");
is(finished($node, $run), 'completed', 'a restore right after the backup');
is(row_of($node, $run, 'restores')->{safety_backup_id}, '', 'needs no other backup');

# It has become old, and the database has changed since.
sub grow_old { $node->safe_psql('postgres', "UPDATE pgbackup.backups SET finished_at = finished_at - interval '1 hour', started_at = started_at - interval '1 hour'"); return }
grow_old();
$node->safe_psql('shop', 'INSERT INTO orders VALUES (101)');
my ($code, $out, $err) = $node->psql('postgres', "CALL pgbackup.run_restore($id, 'shop', replace => true)");
is($code, 0, 'a restore later') or diag($err);
like($err, qr/NOTICE:\s+database "shop" is backed up first: backup \d+/, 'says that it makes a backup first');
is(rows(), 100, 'replaces the database');
my $safety = $node->safe_psql('postgres', 'SELECT safety_backup_id FROM pgbackup.restores ORDER BY id DESC LIMIT 1');
is(row_of($node, $safety)->{status}, 'completed', 'the backup that was made first is complete');
like(row_of($node, $safety)->{label}, qr/^before restore \d+$/, 'and says what for');
is(finished($node, start_restore($node, "$safety, 'as_it_was'")), 'completed', 'it can be restored');
is($node->safe_psql('as_it_was', 'SELECT count(*) FROM orders'), 101, 'and has what was there right before');

# A backup of a part is none; nor is one that is not made first.
grow_old();
is(finished($node, start_backup($node, q{'shop', content => 'schema'})), 'completed', 'a backup of the definitions alone');
restart_settings($node, 'pgbackup.safety_backup' => 'off');
($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.restore($id, 'shop', replace => true)");
like($err, qr/ERROR:\s+there is no recent backup of database "shop", which would be replaced/, 'without a backup nothing is replaced');
like($err, qr/DETAIL:\s+The newest is 60 min old, pgbackup.recent_backup_window is 5 min\./, 'it says how old the newest one is');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.restores WHERE status = 'pending'}), 0, 'no restore waits');
is(finished($node, start_restore($node, "$id, 'elsewhere', replace => true")), 'completed', 'what does not exist needs none');
restart_settings($node, 'pgbackup.safety_backup' => 'on');

# The backup that is to be made first fails, is cancelled, is interrupted: nothing is replaced.
my $store = $node->basedir . '/store';
for my $case (
	[ 'fails', 'failed', sub { restart_settings($node, 'pgbackup.bin_directory' => '/nowhere') },
		sub { restart_settings($node, 'pgbackup.bin_directory' => '') } ],
	[ 'is cancelled', 'was cancelled', sub { restart_settings($node, 'pgbackup.bin_directory' => slow_programs($node)) },
		sub {
			my ($backup) = @_;
			wait_for_file($node->basedir . '/slow/reached');
			$node->safe_psql('postgres', "SELECT pgbackup.cancel($backup)");
		} ])
{
	my ($title, $words, $before, $after) = @$case;
	$before->();
	my $restore = start_restore($node, "$id, 'shop', replace => true");
	my $backup = row_of($node, $restore, 'restores')->{safety_backup_id};
	$after->($backup) if $words eq 'was cancelled';
	is(finished($node, $restore), 'failed', "the backup before it $title: the restore fails");
	like(row_of($node, $restore, 'restores')->{message}, qr/^nothing was replaced: backup $backup, which was to be made first, $words$/, 'and says why');
	isnt(row_of($node, $restore, 'restores')->{hint}, '', 'and what to do');
	is(rows(), 100, 'the database is as it was');
	$after->() if $words ne 'was cancelled';
}
$node->stop;
done_testing();
