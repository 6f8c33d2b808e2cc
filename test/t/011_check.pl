# pgbackup.check(): what works is ok, what does not is a row that says why, and nothing stays behind.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IO::Socket::INET;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use S3;
use Test::More;
use Time::HiRes qw(time);

my $node = new_cluster('check');
my $store = $node->basedir . '/store';
chmod 0700, $store;

# The rows by item; the items in order in $check->{''}.
sub check
{
	my %check = ('' => []);
	for my $line (split /\n/, $node->safe_psql('postgres',
		q{SELECT concat_ws(E'\x1f', item, status, coalesce(detail, ''), coalesce(hint, '')) FROM pgbackup.check()}))
	{
		my ($item, $status, $detail, $hint) = split /\x1f/, $line, 4;
		$check{$item} = { status => $status, detail => $detail, hint => $hint };
		push @{ $check{''} }, $item;
	}
	return \%check;
}

# "item: status" of all rows that are not ok.
sub troubles
{
	my ($check) = @_;
	return [ map { "$_: $check->{$_}{status}" } grep { $check->{$_}{status} ne 'ok' } @{ $check->{''} } ];
}

sub row_is
{
	my ($check, $item, $status, $detail, $hint, $title) = @_;
	my $row = $check->{$item} // { status => 'missing', detail => '', hint => '' };
	is($row->{status}, $status, "$title: $item is $status") or diag(explain($check));
	like($row->{detail}, $detail, "$title: it says why") if defined $detail;
	like($row->{hint}, $hint, "$title: and what to do") if defined $hint;
	return;
}

my @first = qw(server launcher schedule databases storage pg_dump pg_dumpall pg_restore connection locks);
my @objects = ('put', 'get', 'range get', 'list', 'head', 'conditional put');

# A directory.
restart_settings($node, 'pgbackup.schedule' => '0 2 * * *');
my $check = check();
is_deeply(
	$check->{''},
	[ @first, 'storage settings', 'directory', 'permissions', 'fsync', 'free space', @objects, 'delete' ],
	'the rows for a directory, in order');
is_deeply(troubles($check), [], 'all of them are ok') or diag(explain($check));
like($check->{schedule}{detail}, qr/^next at \d{4}-/, 'the schedule knows when it is due');
is_deeply([ glob "$store/{*,.[!.]*}" ], [], 'nothing stays behind');

my $id = start_backup($node, q{'postgres'});
is(finished($node, $id), 'completed', 'a backup');
$node->safe_psql('postgres', "UPDATE pgbackup.backups SET file_size = 1::bigint << 60 WHERE id = $id");
chmod 0755, $store;
restart_settings($node, 'pgbackup.databases' => 'postgres,no_such');
$check = check();
row_is($check, 'free space', 'warning', qr/bytes free/, qr/Free space/, 'a disk that is too small');
row_is($check, 'permissions', 'warning', qr/look into/, qr/chmod 0700/, 'a directory that others can enter');
row_is($check, 'databases', 'error', qr/"no_such" does not exist/, qr/pgbackup\.databases/, 'a wrong name');
restart_settings($node, 'pgbackup.databases' => '*');
$node->safe_psql('postgres', "SELECT pgbackup.delete($id, delete_objects => true)");
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die;

chmod 0500, $store;
$check = check();
row_is($check, 'put', 'error', qr/Permission denied/, qr/must own/, 'a directory that cannot be written to');
row_is($check, 'get', 'skipped', undef, undef, 'a directory that cannot be written to');
row_is($check, 'list', 'ok', undef, undef, 'a directory that cannot be written to');
chmod 0700, $store;

restart_settings($node, 'pgbackup.storage' => "file://$store/new");
is_deeply(troubles(check()), [], 'a directory that the first backup will make is good');
ok(!-e "$store/new", 'and the check does not leave it there');
restart_settings($node, 'pgbackup.storage' => "file://$store/not/there");
$check = check();
row_is($check, 'directory', 'error', qr/parent does not exist/, qr/mount/, 'a missing mount point');
row_is($check, 'delete', 'skipped', undef, undef, 'a missing mount point');
ok(!-e "$store/not", 'nothing is made there');

restart_settings($node, 'pgbackup.storage' => '');
$check = check();
is_deeply($check->{''}, \@first, 'without a storage, everything else is checked');
row_is($check, 'storage', 'error', qr/no storage is set/, qr/ALTER SYSTEM/, 'no storage');
row_is($check, 'schedule', 'warning', qr/no backup is scheduled/, undef, 'no storage');

# Programs and connection.
restart_settings($node, 'pgbackup.bin_directory' => $node->basedir, 'pgbackup.dump_conninfo' => 'user=nobody_here');
$check = check();
row_is($check, 'pg_dump', 'error', qr/pg_dump/, qr/pgbackup\.bin_directory/, 'no pg_dump');
row_is($check, 'connection', 'error', qr/nobody_here/, qr/./, 'no connection');
restart_settings($node, 'pgbackup.bin_directory' => '', 'pgbackup.dump_conninfo' => '');

SKIP:
{
	skip s3_missing(), 1 if s3_missing();
	my $prefix = "t011-$$";
	my $resource = "$ENV{PGBACKUP_TEST_S3_BUCKET}/$prefix/*";
	my %good = s3_settings($prefix);
	delete $good{'pgbackup.s3_part_size'};
	restart_settings($node, %good);
	my @uploads = ('multipart upload', 'multipart list', 'multipart abort');

	$check = check();
	is_deeply(
		$check->{''},
		[ @first, 'storage settings', 'credentials', 'tls', 'reachable', 'region', 'clock', @objects, @uploads, 'delete' ],
		'the rows for S3, in order');
	# An old gateway ignores conditions on a write.
	is_deeply([ grep { !/^conditional put: warning/ } @{ troubles($check) } ], [], 'all of them are ok')
	  or diag(explain($check));
	like($check->{credentials}{detail}, qr/credentials"/, 'the source of the credentials is told');
	my $said = join ' ', map { "$check->{$_}{detail} $check->{$_}{hint}" } @{ $check->{''} };
	is(index($said, s3_secret()), -1, 'but not the secret');
	is(index($said, s3_access_key()), -1, 'nor the key');
	is_deeply([ s3_keys($prefix) ], [], 'no object stays behind');
	is(s3_uploads($prefix), 0, 'no upload stays open');

	# Each permission that may be missing.
	for my $case (
		[ 'put', 's3:PutObject' ],
		[ 'get', 's3:GetObject' ],
		[ 'multipart abort', 's3:AbortMultipartUpload' ],
		[ 'delete', 's3:DeleteObject' ])
	{
		my ($item, $action) = @$case;
		s3_deny($action, $resource);
		$check = check();
		row_is($check, $item, 'error', qr/access denied/, qr/^Allow \Q$action on arn:aws:s3:::$resource to\E/,
			"without $action");
		is(scalar(grep { /: error/ && !/^(\Q$item\E|cleaning up):/ } @{ troubles($check) }),
			0, "without $action: no other row is an error")
		  or diag(explain(troubles($check)));
		s3_deny();
		if ($action eq 's3:DeleteObject')
		{
			row_is($check, 'cleaning up', 'error', qr{\.pgbackup-check/}, qr/s3:DeleteObject/, 'what cannot be deleted');
			isnt(scalar(s3_keys($prefix)), 0, 'what cannot be deleted stays');
		}
		elsif ($action ne 's3:AbortMultipartUpload')
		{
			is_deeply([ s3_keys($prefix) ], [], "without $action: no object stays behind");
		}
	}
	wait_until(
		sub {
			$node->safe_psql('postgres', q{SELECT pgbackup._cleanup_storage(current_setting('pgbackup.storage'), false, '0 seconds')});
			return s3_keys($prefix) == 0 && s3_uploads($prefix) == 0;
		},
		'the end of what the checks had to leave');
	pass('the janitor removes what a check had to leave');

	# What makes the storage unusable as a whole.
	my $wrong = $node->basedir . '/wrong-credentials';
	PostgreSQL::Test::Utils::append_to_file($wrong,
		"[default]\naws_access_key_id = " . s3_access_key() . "\naws_secret_access_key = not-the-right-secret-0000000000000000\n");
	chmod 0600, $wrong;
	my $closed = PostgreSQL::Test::Cluster::get_free_port();
	for my $case (
		[ 'a wrong secret', 'reachable', qr/secret key .* is wrong/, qr/credentials_file/, 'pgbackup.s3_credentials_file' => $wrong ],
		[ 'no credentials file', 'credentials', qr/does not exist/, qr/./, 'pgbackup.s3_credentials_file' => "$wrong.not" ],
		[ 'a closed port', 'reachable', qr/could not connect/, qr/pgbackup\.s3_endpoint/, 'pgbackup.s3_endpoint' => "http://127.0.0.1:$closed" ],
		[ 'a missing bucket', 'reachable', qr/does not exist/, qr/Create the bucket/, 'pgbackup.storage' => 's3://no-such-bucket-here/x' ],
		[ 'an unknown authority', 'reachable', qr/no secure connection/, qr/s3_ca_file/, 'pgbackup.s3_endpoint' => $ENV{PGBACKUP_TEST_S3_TLS_ENDPOINT} ])
	{
		my ($title, $item, $detail, $hint, %settings) = @$case;
		restart_settings($node, %settings);
		my $begin = time;
		$check = check();
		cmp_ok(time - $begin, '<', 30, "$title: the answer comes soon");
		row_is($check, $item, 'error', $detail, $hint, $title);
		row_is($check, $_, 'skipped', undef, undef, $title) for 'put', 'delete';
		restart_settings($node, map { $_ => $good{$_} } keys %settings);
	}

	# Object lock that the bucket does not have.
	restart_settings($node, 'pgbackup.s3_object_lock_mode' => 'governance', 'pgbackup.s3_object_lock_days' => 1);
	$check = check();
	row_is($check, 'object lock', 'error', qr/not enabled/, qr/Enable object lock/, 'a bucket without object lock');
	row_is($check, 'delete', 'ok', undef, undef, 'a bucket without object lock');
	restart_settings($node, 'pgbackup.s3_object_lock_mode' => '', 'pgbackup.s3_object_lock_days' => 0);

	# Somebody who does not want to wait for a store that says nothing.
	my $silent = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die "listen: $!";
	restart_settings($node, 'pgbackup.s3_endpoint' => 'http://127.0.0.1:' . $silent->sockport);
	my $begin = time;
	my (undef, undef, $why) = $node->psql('postgres', q{SET statement_timeout = '1s'; SELECT pgbackup.check()});
	like($why, qr/canceling statement due to statement timeout/, 'a check can be cancelled');
	cmp_ok(time - $begin, '<', 10, 'and ends soon');
}

$node->stop;

# A server that does not preload the library is told so by a row, too.
my $plain = PostgreSQL::Test::Cluster->new('plain');
$plain->init;
$plain->start;
$plain->safe_psql('postgres', 'CREATE EXTENSION pgbackup');
is($plain->safe_psql('postgres', 'SELECT item, status, hint FROM pgbackup.check()'),
	q{server|error|Add to postgresql.conf: shared_preload_libraries = 'pgbackup' and restart the server.},
	'not preloaded');
$plain->stop;
done_testing();
