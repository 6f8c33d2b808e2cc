# S3 stores that are odd, and other servers where an S3 store should be: what is stored is found, and what goes
# wrong is explained.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use HTTP::Tiny;
use OddStore;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

$ENV{AWS_ACCESS_KEY_ID} = 'AKIDODD';
$ENV{AWS_SECRET_ACCESS_KEY} = 'a secret';
my $odd = 'a b+c%20d%=é~';
my $store = OddStore->new(PostgreSQL::Test::Utils::tempdir());
my $node = new_cluster('odd', 'pgbackup.storage' => 's3://bkt/pfx', 'pgbackup.s3_endpoint' => $store->endpoint);
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE TABLE sale (n int)');
my @storage = ('-s', 's3://bkt/pfx', '--s3-endpoint', $store->endpoint);

sub cli
{
	my (@arguments) = @_;
	push @arguments, @storage unless grep { $_ eq '-s' } @arguments;
	return pgbackup($node, @arguments);
}

# The ids that "list" shows, with its exit status.
sub listed
{
	my ($status, $out, $err) = cli('list', '-q');
	return join ' ', $status, map { (split /\t/)[0] } split /\n/, $out;
}

# Four backups, each with one row more.
my @ids;
for my $n (1 .. 4)
{
	$node->safe_psql('shop', "INSERT INTO sale VALUES ($n)");
	push @ids, start_backup($node, "'shop'");
	is(finished($node, $ids[-1]), 'completed', "backup $n") or diag(row_of($node, $ids[-1])->{message});
}
my $all = join ' ', 0, reverse @ids;
like(($store->log)[0], qr{ pgbackup/\d+\.\d+}, 'requests say who sends them');

# Listings.
for my $how (qw(none version1 lost_token))
{
	$store->be($how, page => 5);
	is(listed(), $all, "$how: every backup is listed");
	my ($code, $out) = $node->psql('postgres', "BEGIN; DELETE FROM pgbackup.backups; SELECT pgbackup.import(); ROLLBACK");
	like($out, qr/^4$/m, "$how: every backup is imported");
}
my ($status, $out, $err) = cli('restore', 'latest', '--database', 'shop', '--target-database', 'newest', '-q',
	'-h', $node->host, '-p', $node->port);
is($status, 0, 'the latest backup is restored') or diag($err);
is($node->safe_psql('newest', 'SELECT max(n) FROM sale'), 4, 'which is the newest');
$store->be('standstill', page => 5);
($status, $out, $err) = cli('list');
is($status, 1, 'a listing that does not go on is a failure');
like($err, qr/error: could not list .*: the store returned the same page of the listing again/, 'which is explained');
($status, $out, $err) = cli('show', 'latest');
is($status, 1, 'and no backup counts as the latest');

# A name that is encoded in its key.
$store->be('none');
$node->safe_psql('postgres', q{CREATE DATABASE "a b+c%d"});
my $odd_name = start_backup($node, q{'a b+c%d'});
is(finished($node, $odd_name), 'completed', 'a backup of a database whose name is encoded');
for my $how (qw(none says_encoded))
{
	$store->be($how);
	is(listed(), "0 $odd_name" . substr($all, 1), "$how: it is listed");
}

# A place where nothing is.
$store->be('none');
($status, $out, $err) = $node->psql('postgres', q{SELECT pgbackup.import('s3://bkt/pfy')});
like($err, qr{s3://bkt/pfy contains no objects.*bkt contains "pfx"}s, 'import() says so');
my $elsewhere = sub { return cli(@_[ 1 .. $#_ ], '-s', $_[0], '--s3-endpoint', $store->endpoint) };
for my $command ([ 'list' ], [ 'show', 'latest' ])
{
	($status, $out, $err) = $elsewhere->('s3://bkt/pfy', @$command);
	is($status, 3, "$command->[0]: exit status 3 for a prefix below which nothing is");
	like($err, qr{error: s3://bkt/pfy contains no objects\n.*detail: s3://bkt contains "pfx"\.\n}, 'and what is there is named');
}
my ($owned) = row_of($node, $ids[0])->{file_name} =~ m{^([^/]+)/};  # the folder of the cluster
($status, $out, $err) = $elsewhere->("s3://bkt/pfx/$owned/Shop", 'list');
like($err, qr{detail: s3://bkt/pfx/\Q$owned\E contains .*"shop"\.\n.*hint: Perhaps you meant "shop";}, 'also one that differs by case');
is(($elsewhere->('s3://missing-bucket/pfx', 'list'))[0], 3, 'so has a bucket that does not exist');
is(($elsewhere->('s3://another', 'list'))[0], 0, 'one that is empty has no backups');

# Keys with characters that are encoded.
$store->be('none');
$node->safe_psql('postgres', qq{CREATE DATABASE "$odd"});
my $named = start_backup($node, "'$odd'");
is(finished($node, $named), 'completed', 'a database with an odd name');
for my $how (qw(none says_encoded version1))
{
	$store->be($how, page => 5);
	($status, $out, $err) = cli('verify', 'latest', '--database', $odd);
	is($status, 0, "$how: its backup is found and read") or diag($err);
}

# What is not an S3 API, or sends requests elsewhere.
my %strangers = (
	console => qr/error: could not list .*: http:\S+ answered with a web page\n.*detail: .*"Store Console Sign in".*\n.*hint: .*console/,
	portal => qr/answered with a web page\n.*detail: .*"Sign in to the network Welcome"/,
	firewall => qr/rejected the request with a web page\n.*detail: .*403, "Attention Required! Sorry, you have been blocked".*\n.*hint: .*firewall/,
	other_host => qr{bucket "bkt" must be accessed through http://other\.example\.com\n.*Location http://other\.example\.com/bkt});
for my $how (sort keys %strangers)
{
	$store->be($how);
	($status, $out, $err) = cli('list');
	is($status, 1, "$how: the list fails");
	like($err, $strangers{$how}, "$how: what answers is named");
	fails_with($node, "'shop'", qr/web page|redirects to|must be accessed through/, "$how: a backup");
}
for my $redirect (301, 308)
{
	$store->be('redirect', argument => $redirect);
	($status, $out, $err) = cli('list');
	my $https = $store->endpoint =~ s/^http:/https:/r;
	like($err, qr{: http:\S+ redirects to \Q$https\E\n.*detail: .*Location \Q$https\E/bkt.*\n.*hint: .*--s3-endpoint to \Q$https\E\.}, "$redirect: the address is named");
}
$store->be('region', argument => 's3.moon.example.com');
($status, $out, $err) = cli('list');
like($err, qr{must be accessed through http://s3\.moon\.example\.com\n}, 'so is the endpoint of another region');
$store->be('none');
($status, $out, $err) = cli('list', '-s', 's3://bkt/pfx', '--s3-endpoint', $store->endpoint =~ s/^http:/https:/r);
like($err, qr/does not speak TLS\n.*\n.*hint: Use http:/, 'https:// for a port without TLS is explained');

# A proxy that leaves out lengths, and a clock that is an hour off.
$store->be('no_length');
my $short = start_backup($node, "'shop'");
is(finished($node, $short), 'completed', 'a backup where HEAD has no length') or diag(row_of($node, $short)->{message});
like(($node->psql('postgres', "SELECT string_agg(object, ' ') FROM pgbackup.presign($short)"))[1],
	qr/manifest\.json/, 'its objects are found');
($status, $out, $err) = cli('restore', $short, '--target-database', 'short', '--dry-run', '-q', '-h', $node->host, '-p', $node->port);
is($status, 0, 'and have the right sizes') or diag($err);
for my $seconds (3600, -3600)
{
	$store->be('clock', argument => $seconds);
	my $url = $node->safe_psql('postgres', "SELECT url FROM pgbackup.presign($short, '1 minute') WHERE object = 'manifest.json'");
	is(HTTP::Tiny->new->get($url)->{status}, 200, "a presigned URL works by a clock that is off by $seconds s");
}

# What settings do not fit, and hints that name them.
$store->be('default_lock');
my $locked = fails_with($node, "'shop'", qr/the bucket accepts only objects with a checksum/, 'a bucket that locks every object');
like(row_of($node, $locked)->{hint}, qr/pgbackup\.s3_checksum = 'sha256'/, 'the hint names the setting');
like($node->safe_psql('postgres', q{SELECT status, hint FROM pgbackup.check() WHERE item = 'multipart upload'}),
	qr/^error\|.*pgbackup\.s3_checksum = 'sha256'/, 'check() finds it, too');
restart_settings($node, 'pgbackup.s3_checksum' => 'sha256');
my $proven = start_backup($node, "'shop'");
is(finished($node, $proven), 'completed', 'which is enough') or diag(row_of($node, $proven)->{message});
$store->be('refuses', argument => 'Put+UploadPart:400:XAmzContentSHA256Mismatch:It does not match.');
fails_with($node, "'shop'", qr/the request was changed on its way to the store/, 'bodies that are changed on the way');
my $puts = grep { /^(Put|UploadPart) / } $store->log;
cmp_ok($puts, '>', 0, 'which are sent');
cmp_ok($puts, '<=', 4, 'and not sent again and again') or diag($puts);
$store->be('versions');
like($node->safe_psql('postgres', q{SELECT status, detail FROM pgbackup.check() WHERE item = 'versions'}),
	qr/^warning\|.*frees no space/, 'check() says where deleting frees nothing');
$store->be('refuses', argument => 'versioning:403:AccessDenied:No.');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.check() WHERE item = 'versions' OR status = 'error'}),
	0, 'and nothing where it may not ask');

$node->stop;
done_testing();
