# A server that starts with a value that pgbackup refuses has the default for it: what was to protect backups
# must not be off in silence.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('node', 'pgbackup.databases' => 'postgres', 'pgbackup.retry_count' => 0, 'pgbackup.schedule' => '0 0 1 1 *');
my $store = $node->basedir . '/store';
my $key = (pgbackup($node, 'keygen', '-o', $node->basedir . '/key'))[1];
chomp $key;

sub value { return $node->safe_psql('postgres', $_[0]) }
sub reasons { return value(q{SELECT array_to_string(reasons, E'\n') FROM pgbackup.health() WHERE database = 'postgres'}) }
sub errors { return value(q{SELECT string_agg(detail, E'\n') FROM pgbackup.check() WHERE item = 'setting' AND status = 'error'}) }

sub written
{
	my ($name, $value) = @_;
	$node->adjust_conf('postgresql.conf', $name, undef);
	$node->append_conf('postgresql.conf', "$name = '$value'") if defined $value;
	return;
}

sub starts_with
{
	my (%settings) = @_;
	$node->stop;
	written($_, $settings{$_}) for keys %settings;
	$node->start;
	return;
}

is(finished($node, start_backup($node, q{'postgres'})), 'completed', 'a backup in clear text, as configured');
is(errors(), '', 'nothing is refused');

starts_with('pgbackup.encryption_recipients' => substr($key, 0, -1));
is(value('SHOW pgbackup.encryption_recipients'), '', 'a server that starts with a typing error has the default');
my @before = storage_files($store);
my $id = start_backup($node, q{'postgres'});
is(finished($node, $id), 'failed', 'no backup is made in clear text');
like(row_of($node, $id)->{message}, qr/^setting "pgbackup.encryption_recipients" in \S+postgresql.conf:\d+ has no effect: its value is invalid$/,
	'its message says where the error is');
is_deeply([ storage_files($store) ], \@before, 'nothing has been stored');
like(reasons(), qr/^setting "pgbackup.encryption_recipients" in \S+:\d+ has no effect: its value is invalid$/m, 'health() says so');
like(errors(), qr/^"pgbackup.encryption_recipients" in \S+:\d+ has no effect: its value is invalid$/m, 'and check()');

written('pgbackup.encryption_recipients', $key);
$id = start_backup($node, q{'postgres'});
is(finished($node, $id), 'failed', 'mended in the file, it is not yet in force');
like(row_of($node, $id)->{message}, qr/the server has not read it yet$/, 'which the message says');
$node->reload;
$node->poll_query_until('postgres', q{SELECT current_setting('pgbackup.encryption_recipients') <> ''}) or die;
is(errors(), '', 'read anew, all is well');
$id = start_backup($node, q{'postgres'});
is(finished($node, $id), 'completed', 'and backups are made') or diag(explain(row_of($node, $id)));
is(value("SELECT manifest ? 'encryption' FROM pgbackup.get($id)"), 't', 'encrypted');

# A passkey.
value('CREATE DATABASE shop');
starts_with('pgbackup.restore_passkey' => 'not a hash');
my ($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.restore($id, 'shop', replace => true)");
like($err, qr/setting "pgbackup.restore_passkey" in .* has no effect.*DETAIL:  Nothing is replaced without/s,
	'with a refused passkey nothing is replaced');
starts_with('pgbackup.restore_passkey' => '');

# What else would be off, or not as somebody thinks.
starts_with('pgbackup.schedule' => '0 25 * * *', 'pgbackup.timezone' => 'Mars/Olympus', 'pgbackup.retention_dayz' => 7);
my $reasons = reasons();
like($reasons, qr/^setting "pgbackup.schedule" in \S+ has no effect: its value is invalid$/m, 'a schedule');
like($reasons, qr/^setting "pgbackup.timezone" in \S+ has no effect: its value is invalid$/m, 'a time zone');
like($reasons, qr/^setting "pgbackup.retention_dayz" in \S+ has no effect: there is no such setting$/m, 'a name with a typing error');
is(finished($node, start_backup($node, q{'postgres'})), 'completed', 'they do not keep backups from being made');
starts_with('pgbackup.schedule' => '0 0 1 1 *', 'pgbackup.timezone' => '');
written('pgbackup.retention_dayz');
is(errors(), '', 'corrected, they are gone');

# One that waits for a restart is not refused.
written('pgbackup.home_database', 'shop');
is(errors(), '', 'a setting that waits for a restart is none of them');

$node->stop;
done_testing();
