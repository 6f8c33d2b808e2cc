# The main job against a real S3 server, and what can go wrong with one.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Digest::SHA qw(sha256_hex);
use HTTP::Tiny;
use S3;
use Test::More;

plan skip_all => s3_missing() if s3_missing();

my $prefix = "t008-$$";
my $node = new_cluster('s3', s3_settings($prefix));
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
# 18 MB that do not compress: several parts.
$node->safe_psql('shop', q{CREATE EXTENSION pgcrypto;
	CREATE TABLE random AS SELECT i, gen_random_bytes(1000) AS bytes FROM generate_series(1, 9000) i});
my $source = database_as_text($node, 'shop');

for my $format ('custom', 'parallel')
{
	my $id = start_backup($node, "'shop', format => '$format'");
	is(finished($node, $id), 'completed', "$format: a backup to S3") or diag(explain(row_of($node, $id)));
	my $row = row_of($node, $id);
	is($row->{s3_bucket}, $ENV{PGBACKUP_TEST_S3_BUCKET}, 'the row knows the bucket');
	is($row->{s3_url}, "s3://$ENV{PGBACKUP_TEST_S3_BUCKET}/$prefix/$row->{file_name}", 'and the address');
	cmp_ok($row->{file_size}, '>', 9_000_000, 'more than one part was stored');
	ok((grep { $_ eq "$row->{file_name}/manifest.json" } s3_keys($prefix)), 'the manifest is there');
	is(s3_uploads($prefix), 0, 'no upload is open');
	my $restore = start_restore($node, "$id, 'back_$format'");
	is(finished($node, $restore), 'completed', "$format: a restore from S3")
	  or diag(explain(row_of($node, $restore, 'restores')));
	ok(database_as_text($node, "back_$format") eq $source, "$format: equal");
}

# URLs for people without credentials.
my @urls = map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres', 'SELECT * FROM pgbackup.presign(1)');
is_deeply(
	[ sort map { $_->[0] } @urls ],
	[ 'database.dump.zst', 'globals.sql.zst', 'manifest.json' ],
	'presign lists every object');
my ($manifest_url) = map { $_->[1] } grep { $_->[0] eq 'manifest.json' } @urls;
my $answer = HTTP::Tiny->new->get($manifest_url);
is(sha256_hex($answer->{content}), row_of($node, 1)->{checksum}, 'a plain GET of the URL brings the manifest');
is(HTTP::Tiny->new->get($manifest_url . '0')->{status}, 403, 'a changed URL does not work');
my ($short) = split /\n/, $node->safe_psql('postgres', q{SELECT url FROM pgbackup.presign(1, '1 second')});
wait_until(sub { HTTP::Tiny->new->get($short)->{status} == 403 }, 'the end of a URL of one second', 20);
pass('a URL expires');
my ($bad, undef, $why) = $node->psql('postgres', q{SELECT pgbackup.presign(1, '8 days')});
isnt($bad, 0, 'more than seven days are refused');
like($why, qr/HINT:  Use one second to seven days/, 'with a hint');

# TLS with a private authority.
my @before = s3_keys($prefix);
restart_settings($node, 'pgbackup.s3_endpoint' => $ENV{PGBACKUP_TEST_S3_TLS_ENDPOINT});
my $id = start_backup($node, q{'shop'});
is(finished($node, $id), 'failed', 'a certificate of an unknown authority is refused');
my $row = row_of($node, $id);
like($row->{message} . $row->{detail}, qr/certificate|TLS/i, 'with the reason');
like($row->{hint}, qr/s3_ca_file/, 'and the setting that cures it');
restart_settings($node, 'pgbackup.s3_ca_file' => $ENV{PGBACKUP_TEST_S3_CA_FILE});
$id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'with the authority given, TLS works') or diag(explain(row_of($node, $id)));
$node->safe_psql('postgres', "SELECT pgbackup.delete($id, delete_objects => true)");
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
is_deeply([ s3_keys($prefix) ], \@before, 'delete with objects removes them from S3');
restart_settings($node, 'pgbackup.s3_endpoint' => $ENV{PGBACKUP_TEST_S3_ENDPOINT});

# Refusals, each with its own cause and cure.
sub refused
{
	my ($title, $pattern, %settings) = @_;
	my %old = s3_settings($prefix);
	restart_settings($node, %settings);
	my $failed = start_backup($node, q{'shop'});
	is(finished($node, $failed), 'failed', "$title: the run is failed");
	my $got = row_of($node, $failed);
	like("$got->{message} $got->{detail}", $pattern, "$title: the row says why");
	isnt($got->{hint}, '', "$title: and what to do");
	restart_settings($node, map { $_ => $old{$_} } keys %settings);
	is_deeply([ s3_keys($prefix) ], \@before, "$title: nothing is stored");
	is(s3_uploads($prefix), 0, "$title: no upload is open");
	return $failed;
}

my $wrong = $node->basedir . '/wrong-credentials';
PostgreSQL::Test::Utils::append_to_file($wrong,
	'[default]' . "\naws_access_key_id = " . s3_access_key() . "\naws_secret_access_key = not-the-right-secret-0000000000000000\n");
chmod 0644, $wrong;
refused('a credentials file that others can read', qr/read/, 'pgbackup.s3_credentials_file' => $wrong);
chmod 0600, $wrong;
refused('a wrong secret', qr/403|denied|SignatureDoesNotMatch/i, 'pgbackup.s3_credentials_file' => $wrong);
refused('no such credentials file', qr/No such file|does not exist/i, 'pgbackup.s3_credentials_file' => "$wrong.missing");
refused('no credentials at all', qr/credentials/, 'pgbackup.s3_credentials_file' => '');
refused('a bucket that does not exist', qr/bucket|404/i, 'pgbackup.storage' => 's3://no-such-bucket-here/x');
my $closed = PostgreSQL::Test::Cluster::get_free_port();
refused('connection refused', qr/refused|connect/i, 'pgbackup.s3_endpoint' => "http://127.0.0.1:$closed");
$id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'the next run succeeds');
$node->safe_psql('postgres', "SELECT pgbackup.delete($id, delete_objects => true)");
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;

# Ends in the middle of a multipart upload.
my $slow = slow_programs($node, 12_000_000);
restart_settings($node, 'pgbackup.bin_directory' => $slow);
for my $how ('cancel', 'kill')
{
	unlink "$slow/reached";
	$id = start_backup($node, q{'shop', format => 'parallel'});
	wait_for_file("$slow/reached");
	wait_until(sub { s3_uploads($prefix) > 0 }, 'a multipart upload');
	if ($how eq 'cancel')
	{
		$node->safe_psql('postgres', "SELECT pgbackup.cancel($id)");
		is(finished($node, $id), 'cancelled', 'a run is cancelled in the middle of an upload');
	}
	else
	{
		kill 'KILL', agent_of($node, $id);
		is(finished($node, $id), 'failed', 'an agent is killed in the middle of an upload');
		$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;
	}
	is(s3_uploads($prefix), 0, "$how: no upload stays open");
	is_deeply([ s3_keys($prefix) ], \@before, "$how: no object stays");
}

$node->stop;
done_testing();
