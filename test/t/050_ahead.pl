# Trouble with an S3 store that is still ahead, as health() tells it: clocks that drift apart, and
# credentials that run out.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use FaultProxy;
use PgBackup;
use POSIX qw(strftime);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use S3;
use Test::More;

plan skip_all => s3_missing() if s3_missing();

my $proxy = FaultProxy->new;
my $node = new_cluster('ahead', s3_settings("ahead-$$"), 'pgbackup.s3_endpoint' => $proxy->endpoint, 'pgbackup.databases' => 'shop');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE TABLE orders AS SELECT 1 AS n');

sub backup_ends
{
	my ($status, $title, $arguments) = @_;
	my $id = start_backup($node, $arguments // q{'shop'});
	is(finished($node, $id), $status, $title) or diag(explain(row_of($node, $id)));
	return row_of($node, $id);
}

sub health
{
	return $node->safe_psql('postgres', 'SELECT status, reasons FROM pgbackup.health()');
}

# The difference of two clocks, in seconds, as the row has it.
sub skew_of
{
	my ($row) = @_;
	return $node->safe_psql('postgres', "SELECT extract(epoch FROM interval '$row->{clock_skew}')::int");
}

my $row = backup_ends('completed', 'a backup completes');
cmp_ok(abs(skew_of($row)), '<=', 5, 'the clocks agree');
is($row->{credentials_expire_at}, '', 'keys that last for ever have no end');
is(health(), 'healthy|{}', 'and all is well');

$proxy->plan(clock => 95);
$row = backup_ends('completed', "a backup completes with a store's clock 95 s ahead");
cmp_ok(abs(skew_of($row) - 95), '<=', 5, 'its row tells how far');
like(health(), qr/^warning\|\{"the clock of the storage is (9\d|100) s ahead of this server's"\}$/, 'health warns');

$proxy->plan(clock => -700);
$row = backup_ends('failed', 'a backup of what is not there fails', q{'shop', tables => '{public.nothing}'});
cmp_ok(abs(skew_of($row) + 700), '<=', 5, 'its row tells how far the clock is behind');
like(health(), qr/^critical\|\{"the clock of the storage is 11 min behind this server's",/, 'which is critical');

$proxy->calm;
backup_ends('completed', 'a backup completes with the clocks set right');
is(health(), 'healthy|{}', 'and health forgets about them');

# Credentials in a file that says when they expire. The schedule is due in half a day.
my $keys = $node->basedir . '/keys';
sub expire_in
{
	my ($seconds) = @_;
	unlink $keys;
	append_to_file($keys, read_file($ENV{PGBACKUP_TEST_S3_CREDENTIALS_FILE})
		  . strftime("\nx_security_token_expires = %Y-%m-%dT%H:%M:%SZ\n", gmtime(time + $seconds)));
	chmod 0600, $keys;
	return;
}
expire_in(3600);
my $hour = (gmtime(time + 12 * 3600))[2];
restart_settings($node, 'pgbackup.s3_credentials_file' => $keys, 'pgbackup.timezone' => 'UTC',
	'pgbackup.schedule' => "0 $hour * * *", 'pgbackup.catch_up_window' => 0);
$row = backup_ends('completed', 'a backup completes with credentials for an hour');
is($node->safe_psql('postgres',
		"SELECT '$row->{credentials_expire_at}'::timestamptz BETWEEN now() + interval '50 minutes' AND now() + interval '1 hour'"),
	't', 'its row tells when they expire');
like(health(), qr/^warning\|\{"the credentials for the storage expire in (59|60) min, before the end of the next backup"\}$/,
	'health warns of what the next backup will meet');

expire_in(30 * 3600);
backup_ends('completed', 'a backup completes with credentials for longer');
is(health(), 'healthy|{}', 'that is soon enough later');

expire_in(-90);
backup_ends('completed', 'a backup completes, since this store does not mind');
like(health(), qr/^critical\|\{"the credentials for the storage expired \d+ (s|min) ago"\}$/, 'expired ones are critical');

is($proxy->stop, '', 'the proxy had nothing to complain about');
$node->stop;
done_testing();
