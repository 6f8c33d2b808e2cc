# A backup goes to several storages at once: what becomes of the copies, and what does not become of
# the backup because of them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use Digest::SHA qw(sha256_hex);
use Forwarder;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use S3;
use Test::More;

plan skip_all => s3_missing() if s3_missing();

my $prefix = "t013-$$";
my $bucket = $ENV{PGBACKUP_TEST_S3_BUCKET};
my ($s3_port) = $ENV{PGBACKUP_TEST_S3_ENDPOINT} =~ /:(\d+)$/;

# A URL that says all there is to know about the store; no pgbackup.s3_* setting does.
sub s3_url
{
	my ($folder, $port) = @_;
	my $endpoint = $port ? "http://127.0.0.1:$port" : $ENV{PGBACKUP_TEST_S3_ENDPOINT};
	return "s3://$bucket/$prefix/$folder?endpoint=$endpoint"
	  . "&region=" . ($ENV{PGBACKUP_TEST_S3_REGION} // 'us-east-1')
	  . "&credentials_file=$ENV{PGBACKUP_TEST_S3_CREDENTIALS_FILE}";
}

my $node = new_cluster('copies', 'pgbackup.s3_part_size' => '5MB', 'pgbackup.storage_copies' => s3_url('a'));
my $store = $node->basedir . '/store';
my $second = $node->basedir . '/second';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
# 18 MB that do not compress: several parts.
$node->safe_psql('shop', q{CREATE EXTENSION pgcrypto;
	CREATE TABLE random AS SELECT i, gen_random_bytes(1000) AS bytes FROM generate_series(1, 18000) i});
my $source = database_as_text($node, 'shop');

# The only copy of a backup, as a hash, when nothing is under way any more.
sub copy_of
{
	my ($id) = @_;
	copies_settle();
	return row_of($node, $node->safe_psql('postgres', "SELECT id FROM pgbackup.copies WHERE backup_id = $id"), 'copies');
}

sub copies_settle
{
	$node->poll_query_until('postgres',
		q{SELECT count(*) = 0 FROM pgbackup.copies WHERE status IN ('pending', 'in_progress')})
	  or die;
	return;
}

sub removals_end
{
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
	return;
}

# Lets a failed copy have its turn now instead of in a minute.
sub try_again_now
{
	my ($id) = @_;
	$node->safe_psql('postgres',
		"UPDATE pgbackup.copies SET next_attempt_at = now() WHERE backup_id = $id; SELECT pgbackup._wake_launcher()");
	return;
}

# A directory, with a copy in S3.
my $id = start_backup($node, q{'shop', format => 'parallel'});
is(finished($node, $id), 'completed', 'a backup to a directory and S3') or diag(explain(row_of($node, $id)));
my $copy = copy_of($id);
is($copy->{status}, 'completed', 'its copy is complete') or diag(explain($copy));
is($copy->{file_size}, row_of($node, $id)->{file_size}, 'and as large');
is_deeply([ s3_keys("$prefix/a") ], [ storage_files($store) ], 'the copy has the same objects');
is(s3_uploads($prefix), 0, 'no upload is open');
like($node->safe_psql('postgres', "SELECT result FROM pgbackup._run_state($id)"), qr/; copies: 1 completed$/, 'run() says so');
my $restore = start_restore($node, "$id, 'back_primary'");
is(finished($node, $restore), 'completed', 'a restore');
is(row_of($node, $restore, 'restores')->{message}, '', 'comes from the backup itself');
rename $store, "$store.away" or die;
$restore = start_restore($node, "$id, 'back_copy'");
is(finished($node, $restore), 'completed', 'without the primary, a restore comes from the copy')
  or diag(explain(row_of($node, $restore, 'restores')));
like(row_of($node, $restore, 'restores')->{message}, qr{from the copy in s3://$bucket/$prefix/a}, 'and says so');
rename "$store.away", $store or die;
ok(database_as_text($node, $_) eq $source, "$_: equal") for 'back_primary', 'back_copy';

# Deleting takes both.
$node->safe_psql('postgres', "SELECT pgbackup.delete($id, delete_objects => true)");
removals_end();
is_deeply([ storage_files($store), s3_keys($prefix) ], [], 'delete removes the backup and its copy');

# S3, with a copy in a directory. The storage itself is among the copies and makes no second one.
restart_settings($node, 'pgbackup.storage_copies' => s3_url('b') . ", file://$second");
$id = start_backup($node, "'shop', storage => '" . s3_url('b') . "'");
is(finished($node, $id), 'completed', 'a backup to S3 and a directory') or diag(explain(row_of($node, $id)));
my $row = row_of($node, $id);
is($row->{s3_url}, "s3://$bucket/$prefix/b/$row->{file_name}", 's3_url is without parameters');
is($row->{s3_bucket}, $bucket, 's3_bucket too');
is(copy_of($id)->{storage}, "file://$second", 'the one copy is in the directory');
is(copy_of($id)->{status}, 'completed', 'and complete');
is_deeply([ storage_files($second) ], [ s3_keys("$prefix/b") ], 'the same objects');
my $manifest = read_file("$second/$row->{file_name}/manifest.json");
is(sha256_hex($manifest), $row->{checksum}, 'the manifest is the same');
while ($manifest =~ /"name":"([^"]+)","size":(\d+),"sha256":"([0-9a-f]{64})"/g)
{
	is(sha256_hex(read_file("$second/$row->{file_name}/$1")), $3, "$1 is the same");
}
is(scalar(split /\n/, $node->safe_psql('postgres', "SELECT url FROM pgbackup.presign($id)")), 3, 'presign works');
$restore = start_restore($node, "$id, 'back_s3'");
is(finished($node, $restore), 'completed', 'a restore from the URL with parameters');
ok(database_as_text($node, 'back_s3') eq $source, 'equal');
$node->safe_psql('postgres', "SELECT pgbackup.delete($id)");
is(scalar(backup_files("$second/$row->{file_name}")), 3, 'delete without objects leaves a complete copy');

# What looks at the storage looks at the copies' storages, too.
restart_settings($node, 'pgbackup.storage' => s3_url('b'));
is( $node->safe_psql('postgres', q{SELECT string_agg(item, ',') FROM pgbackup.check() WHERE item ~ 'delete'}),
	'delete,copy 1: delete',
	'check tries the storage of the copies');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.check() WHERE status = 'error'}), 0, 'without errors');
unlink "$second/$row->{file_name}/manifest.json" or die;
my $long_ago = time - 8 * 86400;
utime $long_ago, $long_ago, map { "$second/$_" } storage_files($second);
is( $node->safe_psql('postgres', 'SELECT reason, action FROM pgbackup.cleanup()'),
	"no manifest, older than 7 days, in file://$second|removed",
	'cleanup cleans the storage of the copies');
is_deeply([ storage_files($second) ], [], 'nothing is left there');
restart_settings($node, 'pgbackup.storage' => "file://$store");

# A store that is away.
my $closed = PostgreSQL::Test::Cluster::get_free_port();
restart_settings($node, 'pgbackup.storage_copies' => s3_url('c', $closed));
$id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'a backup completes although its copy cannot be made');
$copy = copy_of($id);
is($copy->{status}, 'failed', 'the copy is failed');
like("$copy->{message} $copy->{detail}", qr/refused|connect/i, 'with a message');
isnt($copy->{hint}, '', 'a hint');
isnt($copy->{next_attempt_at}, '', 'and a time at which it is tried again');
like(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr{backup $id of database "\w+": the copy in s3://$bucket/$prefix/c failed}, 'the log says so');
is_deeply([ s3_keys("$prefix/c") ], [], 'nothing is stored there');
my $forwarder = open_forwarder($closed, $s3_port);
try_again_now($id);
copies_settle();
$copy = copy_of($id);
is($copy->{status}, 'completed', 'when the store is back, the backup is copied') or diag(explain($copy));
is($copy->{attempts}, 2, 'at the second attempt');
is($copy->{message}, '', 'the old message is gone');
is_deeply([ s3_keys("$prefix/c") ], [ storage_files($store) ], 'the same objects');
rename $store, "$store.away" or die;
$restore = start_restore($node, "$id, 'back_later'");
is(finished($node, $restore), 'completed', 'and it can be restored from there');
rename "$store.away", $store or die;
ok(database_as_text($node, 'back_later') eq $source, 'equal');
close_forwarder($forwarder);
$node->safe_psql('postgres', "SELECT pgbackup.delete($id, delete_objects => true)");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgbackup.removals WHERE attempts > 0}) or die;
is_deeply([ storage_files($store) ], [], 'delete removes what it can reach');
$forwarder = open_forwarder($closed, $s3_port);
$node->safe_psql('postgres', 'UPDATE pgbackup.removals SET not_before = now(); SELECT pgbackup._wake_launcher()');
removals_end();
is_deeply([ s3_keys("$prefix/c") ], [], 'and the copy as soon as its store is back');
close_forwarder($forwarder);

# Ends in the middle leave nothing anywhere.
my $slow = slow_programs($node, 12_000_000);
restart_settings($node, 'pgbackup.storage_copies' => s3_url('d'), 'pgbackup.bin_directory' => $slow);
for my $how ('cancel', 'kill')
{
	unlink "$slow/reached";
	$id = start_backup($node, q{'shop', format => 'parallel'});
	wait_for_file("$slow/reached");
	wait_until(sub { s3_uploads("$prefix/d") > 0 }, 'a multipart upload');
	my ($copy_id, $status) = split /\|/,
	  $node->safe_psql('postgres', "SELECT id, status FROM pgbackup.copies WHERE backup_id = $id");
	is($status, 'in_progress', "$how: the copy is in progress");
	my (undef, undef, $why) = $node->psql('postgres', "SELECT pgbackup.cancel($copy_id)");
	like($why, qr/together with its backup.*HINT:  SELECT pgbackup.cancel\($id\)/s, "$how: and does not end alone");
	if ($how eq 'cancel')
	{
		$node->safe_psql('postgres', "SELECT pgbackup.cancel($id)");
		is(finished($node, $id), 'cancelled', 'a run is cancelled in the middle');
	}
	else
	{
		kill 'KILL', agent_of($node, $id);
		is(finished($node, $id), 'failed', 'an agent is killed in the middle');
	}
	removals_end();
	$copy = copy_of($id);
	is($copy->{status}, 'failed', "$how: the copy is failed");
	is($copy->{next_attempt_at}, '', "$how: and not tried again");
	is(s3_uploads($prefix), 0, "$how: no upload stays open");
	is_deeply([ storage_files($store), s3_keys("$prefix/d") ], [], "$how: no object stays");
}

# The backup is complete before a slow copy is, and outlives the end of its agent. What the copy has
# to wait for is its queue: the primary has the whole archive by then.
restart_settings($node, 'pgbackup.bin_directory' => '', 'pgbackup.bandwidth_limit' => '2048'); # kilobytes a second
$id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'a backup with a slow copy');
my $agent = $node->safe_psql('postgres', "SELECT agent_pid FROM pgbackup.progress WHERE id = $id");
SKIP:
{
	skip 'the copy was as fast as the primary', 3 unless $agent;
	kill 'KILL', $agent;
	$copy = copy_of($id);
	is($copy->{status}, 'failed', 'the copy is failed when its agent is killed');
	is(row_of($node, $id)->{status}, 'completed', 'the backup is not');
	isnt($copy->{next_attempt_at}, '', 'and the copy is tried again');
	try_again_now($id);
}
restart_settings($node, 'pgbackup.bandwidth_limit' => '0');
is(copy_of($id)->{status}, 'completed', 'the copy is complete in the end') or diag(explain(copy_of($id)));
$node->safe_psql('postgres', "SELECT pgbackup.delete($id, delete_objects => true)");
removals_end();

# A copy made later can be ended, killed and interrupted, too.
restart_settings($node, 'pgbackup.storage_copies' => '', 'pgbackup.bin_directory' => '');
$id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'a backup without a copy');
is($node->safe_psql('postgres', "SELECT count(*) FROM pgbackup.copies WHERE backup_id = $id"), 0, 'has none');
restart_settings($node, 'pgbackup.bandwidth_limit' => '1024'); # kilobytes a second

sub copy_under_way
{
	wait_until(sub { s3_uploads("$prefix/e") > 0 }, 'an upload of the copy');
}

my $copy_id = $node->safe_psql('postgres', "SELECT pgbackup.copy($id, '" . s3_url('e') . "')");
copy_under_way();
my ($refused, undef, $why) = $node->psql('postgres', "SELECT pgbackup.delete($id, true)");
isnt($refused, 0, 'a backup that is being copied cannot be deleted');
like($why, qr/is being copied.*HINT/s, 'the error says why and what to do');
$node->safe_psql('postgres', "SELECT pgbackup.cancel($copy_id)");
is(finished($node, $copy_id), 'failed', 'a copy is cancelled');
$copy = copy_of($id);
like($copy->{message}, qr/cancelled by/, 'the row says by whom');
is($copy->{next_attempt_at}, '', 'and it is not tried again by itself');
is_deeply([ s3_uploads($prefix), s3_keys("$prefix/e") ], [0], 'nothing is left of it');

is($node->safe_psql('postgres', "SELECT pgbackup.copy($id, '" . s3_url('e') . "')"), $copy_id, 'it can be asked for again');
copy_under_way();
kill 'KILL', agent_of($node, $copy_id);
is(finished($node, $copy_id), 'failed', 'the agent of a copy is killed');
like(copy_of($id)->{message}, qr/killed by signal 9/, 'the row says so');
is(row_of($node, $id)->{status}, 'completed', 'the backup is as it was');
try_again_now($id);
copy_under_way();
$node->stop('immediate');
$node->start;
restart_settings($node, 'pgbackup.bandwidth_limit' => '0');
$node->poll_query_until('postgres', "SELECT status = 'completed' FROM pgbackup.copies WHERE id = $copy_id") or die;
pass('a copy that a crash of the server has interrupted is made by itself');
is(s3_uploads($prefix), 0, 'no upload of the earlier attempts stays open');
is_deeply([ s3_keys("$prefix/e") ], [ storage_files($store) ], 'the same objects');

# Bytes that rot in the primary do not get into a copy.
my ($damaged) = grep { /database\.dump/ } storage_files($store);
open my $handle, '+<', "$store/$damaged" or die;
seek $handle, 1000, 0;
print {$handle} 'rotten';
close $handle;
$copy_id = $node->safe_psql('postgres', "SELECT pgbackup.copy($id, 'file://$second')");
is(finished($node, $copy_id), 'failed', 'a damaged backup is not copied');
like(row_of($node, $copy_id, 'copies')->{message}, qr/damaged/, 'the row says why');
is(scalar(grep { m{/backup_shop_.*_$id/} } storage_files($second)), 0, 'nothing of it is stored');

$node->stop;
done_testing();
