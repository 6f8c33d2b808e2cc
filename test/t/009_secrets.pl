# No secret shows up where others can look: the log, pg_stat_activity, settings, ps, /proc/*/environ.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use S3;
use Test::More;

plan skip_all => s3_missing() if s3_missing();

my $prefix = "t009-$$";
my $node = new_cluster('secrets', s3_settings($prefix),
	log_statement => 'all', log_min_duration_statement => 0, log_connections => 'on', log_min_messages => 'debug2');
$node->safe_psql('postgres', q{CREATE DATABASE shop; CREATE ROLE with_password LOGIN PASSWORD 'hush-hush-4711'});
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
my $slow = slow_programs($node);
my $secret = s3_secret();
ok(length $secret > 20, 'there is a secret to look for');

# Where the text is found among what our processes show; children of the server's launcher included.
sub places_that_show
{
	my ($text) = @_;
	my @places;
	for my $folder (glob '/proc/[0-9]*')
	{
		my ($pid) = $folder =~ /(\d+)$/;
		next if $pid == $$;
		my $command = (read_file("$folder/cmdline") // '') =~ tr/\0/ /r;
		push @places, "command line of $pid: $command" if index($command, $text) >= 0;
		next unless $command =~ /^pgbackup|\Q$slow\E|pg_dump|pg_restore/;
		push @places, "environment of $pid: $command"
		  if index(read_file("$folder/environ") // '', $text) >= 0;
	}
	push @places, 'pg_stat_activity'
	  if $node->safe_psql('postgres', 'SELECT string_agg(a::text, E\'\n\') FROM pg_stat_activity a') =~ /\Q$text\E/;
	push @places, 'pg_settings'
	  if $node->safe_psql('postgres', 'SELECT string_agg(setting, E\'\n\') FROM pg_settings') =~ /\Q$text\E/;
	push @places, 'catalog'
	  if $node->safe_psql('postgres', 'SELECT string_agg(b::text, E\'\n\') FROM pgbackup.backups b') =~ /\Q$text\E/;
	push @places, 'server log' if index(read_file($node->logfile), $text) >= 0;
	return @places;
}

sub look_in_the_middle
{
	my ($title) = @_;
	unlink "$slow/reached", "$slow/go";
	my $id = start_backup($node, q{'shop', format => 'parallel'});
	wait_for_file("$slow/reached");
	cmp_ok(scalar processes_of("$slow/pg_dump"), '>', 0, "$title: a dump runs");
	my @places = places_that_show($secret);
	PostgreSQL::Test::Utils::append_to_file("$slow/go", '');
	is(finished($node, $id), 'completed', "$title: the backup completes") or diag(explain(row_of($node, $id)));
	push @places, places_that_show($secret);
	return ($id, @places);
}

restart_settings($node, 'pgbackup.bin_directory' => $slow);
my ($id, @places) = look_in_the_middle('credentials file');
is_deeply(\@places, [], 'the secret of the credentials file shows up nowhere');

# Globals hold roles without their passwords.
$node->safe_psql('postgres', "CALL pgbackup.run('shop', storage => 'file://" . $node->basedir . "/store')");
my $row = row_of($node, $id + 1);
my $globals = `zstd -dc '@{[$node->basedir]}/store/$row->{file_name}/globals.sql.zst'`;
like($globals, qr/CREATE ROLE with_password/, 'globals hold the roles');
unlike($globals, qr/SCRAM-SHA-256|PASSWORD/, 'and no password');

# A failing run says nothing either: a wrong secret, at every log level.
my $wrong = $node->basedir . '/wrong';
my $other = 'wrong-secret-that-must-not-show-up-0815';
PostgreSQL::Test::Utils::append_to_file($wrong,
	"[default]\naws_access_key_id = " . s3_access_key() . "\naws_secret_access_key = $other\n");
chmod 0600, $wrong;
restart_settings($node, 'pgbackup.s3_credentials_file' => $wrong);
my $failed = start_backup($node, q{'shop'});
is(finished($node, $failed), 'failed', 'a wrong secret fails');
is_deeply([ places_that_show($other) ], [], 'and shows up nowhere');

# Credentials in the server's environment reach the agent only, which got them from the server.
$node->stop;
{
	local $ENV{AWS_ACCESS_KEY_ID} = s3_access_key();
	local $ENV{AWS_SECRET_ACCESS_KEY} = $secret;
	$node->start;
}
restart_settings($node, 'pgbackup.s3_credentials_file' => '');
($id, @places) = look_in_the_middle('server environment');
is_deeply([ grep { !/^environment of \d+: pgbackup agent/ } @places ], [],
	'the secret in the server\'s environment reaches neither pg_dump nor the log');

$node->stop;
done_testing();
