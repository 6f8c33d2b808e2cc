# E-mail: a message that any program reads as it was meant, over TLS with a login or without.
use strict;
use warnings;

use FindBin;
use MIME::Base64;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Receiver;
use Test::More;

plan skip_all => 'python3-aiosmtpd is not installed'
  if system('python3 -c "import aiosmtpd" 2>/dev/null') != 0;

my $node = new_cluster('mail');
my $base = $node->basedir;
my (undef, $port) = start_receiver('mail_receiver', "$base/plain");
my $how = write_secret("$base/smtp", "url = smtp://127.0.0.1:$port\nfrom = pg\@example.com\ntls = off\n");
$node->safe_psql('postgres', qq{CREATE DATABASE "b\303\274cher\r\nBcc: evil\@example.com"});
restart_settings($node, 'pgbackup.notify_email' => 'dba@example.com, boss@example.org', 'pgbackup.smtp_file' => $how,
	'pgbackup.retry_count' => 0);

sub mail
{
	my ($folder, $number) = @_;
	wait_for_file("$base/$folder/mail.$number");
	my ($envelope, $head, $body) = split /\r?\n\r?\n/, read_file("$base/$folder/mail.$number"), 3;
	return ($envelope, $head, decode_base64($body));
}

sub failing_backup
{
	my $id = start_backup($node, qq{E'b\303\274cher\\r\\nBcc: evil\@example.com', tables => '{public.nowhere}'});
	is(finished($node, $id), 'failed', 'a backup fails');
	return $id;
}

my $id = failing_backup();
my ($envelope, $head, $body) = mail('plain', 1);
is($envelope, "MAIL pg\@example.com\nRCPT dba\@example.com\nRCPT boss\@example.org", 'the mail goes to all addresses');
like($head, qr/^From: pg\@example\.com\r\nTo: dba\@example\.com,\r\n boss\@example\.org\r\nSubject: =\?UTF-8\?B\?/,
	'with headers that say from whom and to whom');
unlike($head, qr/^Bcc/mi, 'and none that a name of a database brings');
my $subject = join '', map { decode_base64($_) } $head =~ /=\?UTF-8\?B\?(.*?)\?=/g;
like($subject, qr/^\[pgbackup\] backup $id of database "b\303\274cher  Bcc: evil\@example.com" on \S+ failed$/,
	'the subject says it in one line');
like($head, qr/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r$/m, 'it has a date');
like($head, qr/^Message-ID: <pgbackup\.[0-9a-f]{32}\@example\.com>\r$/m, 'and an id');
like($body, qr/\nHint: /, 'the body has the hint');
like($body, qr/nowhere/, 'and the message');

# A server that does not take it now gets it later.
my $log_start = -s $node->logfile;
PostgreSQL::Test::Utils::append_to_file("$base/plain/refuse", '');
failing_backup() for 1 .. 2;
$node->poll_query_until('postgres', 'SELECT max(attempts) >= 2 FROM pgbackup.notification_targets') or die 'not tried again';
is(warnings_in($node, 'mail', $log_start), 1, 'the log has one warning');
unlink "$base/plain/refuse";
mail('plain', $_) for 2 .. 3;
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.notifications') or die 'notifications stay';
ok(!-e "$base/plain/mail.4", 'each message arrives once');

# TLS and a login.
system_or_bail('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
	'-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', "$base/key.pem", '-out', "$base/cert.pem");
(undef, $port) = start_receiver('mail_receiver', "$base/tls", 'me', 's3cr3t', "$base/cert.pem", "$base/key.pem");
my $login = "url = smtp://127.0.0.1:$port\nfrom = pg\@example.com\nuser = me\n";
$log_start = -s $node->logfile;
write_secret($how, "${login}password = s3cr3t\n");
failing_backup();
$node->wait_for_log(qr/WARNING:  pgbackup: notifications cannot be sent by mail: .*certificate/i, $log_start);
pass('a certificate of nobody known is refused');
write_secret($how, "${login}password = wr0ng\nca_file = $base/cert.pem\n");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgbackup.notification_targets WHERE message ~* 'login denied'})
  or die $node->safe_psql('postgres', 'TABLE pgbackup.notification_targets');
pass('a wrong password is told');
write_secret($how, "${login}password = s3cr3t\nca_file = $base/cert.pem\n");
($envelope) = mail('tls', 1);
like($envelope, qr/RCPT boss/, 'with the right one the mail arrives');
unlike(read_file($node->logfile), qr/s3cr3t|wr0ng/, 'the log tells no password');

done_testing();
