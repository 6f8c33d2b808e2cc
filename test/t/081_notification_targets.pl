# Notifications to several targets: one that is dead, hangs or refuses holds back none of the others, each
# gets its own in order, and what does not arrive shows in health(), check() and the metrics.
use strict;
use warnings;

use FindBin;
use JSON::PP;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Receiver;
use Test::More;

my $node = new_cluster('targets');
my $base = $node->basedir;
my $folder = "$base/receiver";
my (undef, $port) = start_receiver('webhook_receiver', $folder);
my $origin = "http://127.0.0.1:$port";
my $urls = "$base/urls";
$node->safe_psql('postgres', 'CREATE DATABASE shop');

sub value { return $node->safe_psql('postgres', $_[0]) }

sub await
{
	my ($sql, $title) = @_;
	ok($node->poll_query_until('postgres', $sql), $title)
	  or diag(value('TABLE pgbackup.notifications'), value('TABLE pgbackup.notification_targets'));
	return;
}

# Queues notifications as the end of runs does, and returns the ids of the runs.
my $last_run = 1000;
sub notices
{
	my ($channel, $count) = @_;
	my @runs = map { ++$last_run } 1 .. $count;
	value(join '', map { qq{
		INSERT INTO pgbackup.notifications (channel, kind, run_id, event)
		VALUES ('$channel', 'backup', $_, '{"kind": "backup", "id": $_, "status": "failed", "database": "shop"}');} } @runs);
	value('SELECT pgbackup._wake_launcher()');
	return @runs;
}

# The runs that a path was told of with success, in order.
sub told
{
	my ($path) = @_;
	return map { decode_json($_->{body})->{id} } grep { $_->{path} eq $path && $_->{answer} eq '200' } requests_of($folder);
}

sub tried
{
	my ($path) = @_;
	return scalar grep { $_->{path} eq $path } requests_of($folder);
}

sub reasons { return value(q{SELECT status || ': ' || array_to_string(reasons, '; ') FROM pgbackup.health() WHERE database = 'shop'}) }

sub log_since { return substr(read_file($node->logfile), $_[0]) }

# The next attempt is made at once, not when the wait is over.
sub hasten
{
	value(q{UPDATE pgbackup.notification_targets SET not_before = 'epoch'; SELECT pgbackup._wake_launcher()});
	return;
}

sub metric
{
	my ($name, $channel) = @_;
	return value("SELECT value FROM pgbackup.metrics WHERE name = 'pgbackup_notifications_$name' AND labels->>'channel' = '$channel'");
}

# One that is dead, one that hangs, one that is well.
write_secret($urls, join '', map { "$origin/$_\n" } qw(dead hang good));
answers_to("$folder/paths", '/dead' => 503, '/hang' => 'hang');
restart_settings($node, 'pgbackup.webhook_url_file' => $urls, 'pgbackup.databases' => 'shop', 'pgbackup.schedule' => '0 0 1 1 *');
is(finished($node, start_backup($node, q{'shop'})), 'completed', 'a backup');
like(reasons(), qr/^healthy: $/, 'all is well');
my $log_start = -s $node->logfile;
my @runs = notices('webhook', 100);
wait_until(sub { (() = told('/good')) >= 100 }, 'the good target to have all');
is_deeply([ told('/good') ], \@runs, 'a hundred notifications reach the target that is well, in order');
cmp_ok(tried('/hang'), '<=', 3, 'while another one hangs');
await(q{SELECT count(*) = 2 FROM pgbackup.notification_targets WHERE channel = 'webhook' AND target <> '' AND attempts >= 2},
	'the two others are tried again');
my @more = notices('webhook', 3);
wait_until(sub { (() = told('/good')) >= 103 }, 'the good target to have the next ones');
is_deeply([ (told('/good'))[ 100 .. 102 ] ], \@more, 'what comes later arrives there, too');
is(value('SELECT count(*) FROM pgbackup.notifications'), 103, 'the queue keeps all for the others');
is(value(q{SELECT string_agg(name || ' ' || (attempts > 0), E'\n' ORDER BY name) FROM pgbackup.notification_targets WHERE channel = 'webhook' AND target <> ''}),
	"$origin (URL 1) true\n$origin (URL 2) true\n$origin (URL 3) false", 'each target has a state of its own');
cmp_ok(scalar(() = log_since($log_start) =~ /(?:WARNING|LOG):  pgbackup: (?!role)/g), '<=', 10, 'in a few lines of the log');
like(log_since($log_start), qr{cannot be sent by webhook: .*\Q$origin\E \(URL 1\) answered with status 503}, 'which name the target');

# What shows of it.
is(metric(undelivered => 'webhook'), 103, 'the metrics count what is not delivered');
is(metric(undelivered => 'mail'), 0, 'by channel');
like(metric(oldest_age_seconds => 'webhook'), qr/^[1-9]\d*(\.\d+)?$/, 'with the age of the oldest');
like(reasons(), qr/^healthy: $/, 'health waits for ten minutes');
like(value(q{SELECT status || ' ' || detail FROM pgbackup.check() WHERE item = 'notifications by webhook'}),
	qr{^warning .*(?:status 503|timed out)}, 'check() does not');
value(q{UPDATE pgbackup.notifications SET created_at = created_at - interval '11 minutes' WHERE id = (SELECT min(id) FROM pgbackup.notifications)});
like(reasons(), qr{^warning: .*103 notifications to \Q$origin\E \(URL 1\) have not been delivered since \d{4}-\d\d-\d\d \d\d:\d\d \S+: \Q$origin\E \(URL 1\) answered with status 503},
	'then it warns, with count, time and reason');
like(reasons(), qr{103 notifications to \Q$origin\E \(URL 2\) have .*no answer of \Q$origin\E \(URL 2\): }, 'of each target');
unlike(reasons(), qr{\(URL 3\)}, 'that fails');

# They come back.
answers_to("$folder/paths", '/hang' => 'hang');
hasten();
wait_until(sub { (() = told('/dead')) >= 103 }, 'the dead target to have all');
is_deeply([ told('/dead') ], [ @runs, @more ], 'a target that is back gets what it has missed, in order');
answers_to("$folder/paths");
hasten();
await('SELECT count(*) = 0 FROM pgbackup.notifications', 'and so does the last one');
is_deeply([ told('/hang') ], [ @runs, @more ], 'in order');
is_deeply([ told('/good') ], [ @runs, @more ], 'no notification has arrived twice');
like(reasons(), qr/^healthy: $/, 'and all is well');
like(value(q{SELECT status || ' ' || detail FROM pgbackup.check() WHERE item = 'notifications by webhook'}), qr/^ok none waits$/, 'for check(), too');

# What has failed for a day is given up, for the target that failed.
answers_to("$folder/paths", '/dead' => 503);
($last_run) = notices('webhook', 1);
await(q{SELECT count(*) = 1 FROM pgbackup.notification_targets WHERE attempts > 0}, 'one target fails');
$log_start = -s $node->logfile;
value(q{UPDATE pgbackup.notifications SET created_at = created_at - interval '25 hours'});
hasten();
await('SELECT count(*) = 0 FROM pgbackup.notifications', 'a day later the notification is gone');
$node->wait_for_log(qr{WARNING:  pgbackup: the notification of backup $last_run to \Q$origin\E \(URL 1\) is given up: not delivered for a day: .*503}, $log_start);
is(metric(given_up_total => 'webhook'), 1, 'which is counted');
like(reasons(), qr{^warning: the last notification to \Q$origin\E \(URL 1\) was given up: not delivered for a day}, 'and shows in health');

# A target that is taken out of the file is forgotten; a new one gets what comes.
write_secret($urls, "$origin/good\n$origin/new\n");
@runs = notices('webhook', 2);
await('SELECT count(*) = 0 FROM pgbackup.notifications', 'the file has other URLs');
is_deeply([ told('/new') ], \@runs, 'a new target gets what comes');
like(reasons(), qr/^healthy: $/, 'a target that is no more is no problem');
is(metric(given_up_total => 'webhook'), 1, 'what was given up stays counted');

# A clock that was set back keeps none waiting longer than a failure does.
value(q{UPDATE pgbackup.notification_targets SET not_before = now() + interval '1 day'});
notices('webhook', 1);
await('SELECT count(*) = 0 FROM pgbackup.notifications', 'an attempt that is due in the far future is made now');

# A target that comes and goes does not fill the log.
write_secret($urls, "$origin/flap\n");
$log_start = -s $node->logfile;
answers_of($folder, (500, 200) x 12);
@runs = notices('webhook', 12);
wait_until(sub { hasten(); (() = told('/flap')) >= 12 }, 'all to arrive in the end');
is_deeply([ told('/flap') ], \@runs, 'a target that fails every other time gets all, in order');
cmp_ok(scalar(() = log_since($log_start) =~ /(?:WARNING|LOG):  pgbackup: (?!role)/g), '<=', 5, 'in five lines of the log at most');
await('SELECT count(*) = 0 FROM pgbackup.notifications', 'none waits');

# Answers of 200 that are no delivery.
restart_settings($node, 'pgbackup.webhook_format' => 'healthchecks');
write_secret($urls, "$origin/ping/s3cr3t\n");
for my $case (
	[ 'OK (not found)', 'text/plain', 'status 200: "OK (not found)", which is no delivery' ],
	[ '<!DOCTYPE html><html><title>Log in</title>', 'text/html', 'status 200: "Log in", which is no delivery' ],
	[ 'no such check: s3cr3t (not found)', 'text/plain', 'status 200, which is no delivery' ])
{
	my ($text, $type, $words) = @$case;
	answers_to("$folder/paths", map { $_ => { status => 200, type => $type, body => $text } } '/ping/s3cr3t', '/ping/s3cr3t/fail');
	notices('webhook', 1);
	hasten();
	await(qq{SELECT count(*) = 1 FROM pgbackup.notification_targets WHERE message = '$origin answered with $words'}, "no delivery: $words");
}
answers_to("$folder/paths", map { $_ => { status => 200, body => 'OK' } } '/ping/s3cr3t', '/ping/s3cr3t/fail');
hasten();
await('SELECT count(*) = 0 FROM pgbackup.notifications', '"OK" is one');
unlike(read_file($node->logfile), qr/s3cr3t/, 'the log does not tell the URL');
restart_settings($node, 'pgbackup.webhook_url_file' => '');

SKIP:
{
	skip 'python3-aiosmtpd is not installed', 1 if system('python3 -c "import aiosmtpd" 2>/dev/null') != 0;
	my $box = "$base/mail";
	(undef, $port) = start_receiver('mail_receiver', $box);
	my $how = write_secret("$base/smtp", "url = smtp://127.0.0.1:$port\nfrom = pg\@example.com\ntls = off\n");
	restart_settings($node, 'pgbackup.notify_email' => 'dba@example.com, gone@example.com, slow@example.com', 'pgbackup.smtp_file' => $how);
	my $mail = 0;
	my $recipients_of_next = sub
	{
		wait_for_file("$box/mail." . ++$mail);
		return join ' ', read_file("$box/mail.$mail") =~ /^RCPT (\w+)/mg;
	};

	# One refused for good, one for now.
	answers_to("$box/recipients", 'gone@example.com' => '550 5.1.1 no such user', 'slow@example.com' => '450 4.2.0 greylisted');
	$log_start = -s $node->logfile;
	my ($run) = notices('mail', 1);
	is($recipients_of_next->(), 'dba', 'a refused address keeps no other from getting the mail');
	$node->wait_for_log(qr{WARNING:  pgbackup: the notification of backup $run to gone\@example\.com is given up: the mail server refused gone\@example\.com: 550 5\.1\.1 no such user\n}, $log_start);
	like(reasons(), qr{^warning: .*the last notification to gone\@example\.com was given up: the mail server refused gone\@example\.com: 550}, 'health names it');
	is(metric(given_up_total => 'mail'), 1, 'and it is counted');
	is(value(q{SELECT string_agg(target, ' ') FROM pgbackup.notification_targets t WHERE channel = 'mail' AND target <> ''
		AND EXISTS (SELECT FROM pgbackup.notifications n WHERE t.target <> ALL (n.reached))}), 'slow@example.com', 'only the one that may work later waits');
	unlink "$box/recipients";
	hasten();
	is($recipients_of_next->(), 'slow', 'and gets it then');
	await('SELECT count(*) = 0 FROM pgbackup.notifications', 'none waits');
	($run) = notices('mail', 1);
	is($recipients_of_next->(), 'dba gone slow', 'the next one goes to all');
	await('SELECT count(*) = 0 FROM pgbackup.notifications', 'none waits');
	like(reasons(), qr/^healthy: $/, 'and all is well');

	# A server that refuses everybody may mean the sender: that is tried again.
	answers_to("$box/recipients", map { ("$_\@example.com" => '554 5.7.1 relay access denied') } qw(dba gone slow));
	notices('mail', 1);
	await(q{SELECT count(*) = 3 FROM pgbackup.notification_targets WHERE message ~ '5.7.1 relay access denied'}, 'all are refused');
	is(metric(given_up_total => 'mail'), 1, 'none is given up');
	unlink "$box/recipients";
	hasten();
	is($recipients_of_next->(), 'dba gone slow', 'all get it later');
	await('SELECT count(*) = 0 FROM pgbackup.notifications', 'none waits');

	# A message that is refused for good is not the end of those behind it.
	PostgreSQL::Test::Utils::append_to_file("$box/refuse", '554 5.6.0 looks like spam');
	my ($bad) = notices('mail', 1);
	for (1 .. 3)
	{
		await(qq{SELECT attempts >= $_ FROM pgbackup.notification_targets WHERE channel = 'mail' AND target = ''}, "attempt $_ fails");
		hasten();
	}
	await('SELECT count(*) = 0 FROM pgbackup.notifications', 'a message that is refused again and again is given up');
	is(metric(given_up_total => 'mail'), 2, 'and counted');
	like(reasons(), qr{^warning: .*the last notification by mail was given up: \S+ did not take the message: .*554 5\.6\.0 looks like spam}, 'health says why');
	unlink "$box/refuse";
	notices('mail', 1);
	is($recipients_of_next->(), 'dba gone slow', 'the next one arrives');
	await('SELECT count(*) = 0 FROM pgbackup.notifications', 'none waits');
	like(reasons(), qr/^healthy: $/, 'and all is well');

	# An address for which the server never answers.
	answers_to("$box/recipients", 'slow@example.com' => 'hang');
	notices('mail', 2);
	is($recipients_of_next->(), 'dba gone', 'an address that hangs keeps no other from getting the mail');
	is($recipients_of_next->(), 'dba gone', 'nor the next one');
	like(value(q{SELECT message FROM pgbackup.notification_targets WHERE target = 'slow@example.com'}), qr/^the mail server did not answer for slow\@example\.com: /, 'it is named');
}

$node->stop;
done_testing();
