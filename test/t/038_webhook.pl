# Webhooks: what they are sent, in which order, what happens while they fail, and what nobody gets to see.
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

my $node = new_cluster('webhook', 'log_statement' => 'all');
my $folder = $node->basedir . '/receiver';
my ($receiver, $port) = start_receiver('webhook_receiver', $folder);
my $urls = $node->basedir . '/urls';
write_secret($urls, "# where alerts go\nhttp://127.0.0.1:$port/hook/s3cr3t?token=t0k3n\n");
$node->safe_psql('postgres', qq{CREATE DATABASE "sh""op <!channel> {id}"});
$node->safe_psql('postgres', 'CREATE DATABASE shop');
restart_settings($node, 'pgbackup.webhook_url_file' => $urls, 'pgbackup.cluster_name' => 'berlin',
	'pgbackup.retry_count' => 0);

sub queue_is_empty
{
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.notifications')
	  or die 'notifications stay: ' . $node->safe_psql('postgres', 'TABLE pgbackup.notifications');
	return;
}

# Makes a backup fail, before anything starts.
sub failing_backup
{
	my ($database) = @_;
	my $id = start_backup($node, "'$database', tables => '{public.nowhere}'");
	is(finished($node, $id), 'failed', "a backup of $database fails");
	return $id;
}

# Failures, as is the default; the format is JSON.
is(finished($node, start_backup($node, q{'shop'})), 'completed', 'a backup completes');
my $id = failing_backup('sh"op <!channel> {id}');
my @sent = wait_for_requests($folder, 1);
is(@sent, 1, 'only the failure is told');
is($sent[0]{path}, '/hook/s3cr3t?token=t0k3n', 'to the URL of the file');
is($sent[0]{type}, 'application/json', 'as JSON');
my $body = decode_json($sent[0]{body});
is_deeply([ @$body{qw(kind id status database cluster)} ],
	[ 'backup', $id, 'failed', 'sh"op <!channel> {id}', 'berlin' ], 'with what happened to what');
like($body->{message}, qr/nowhere/, 'with the message');
like($body->{text}, qr/^backup $id of database "sh"op <!channel> \{id\}" on berlin failed\n.*nowhere/,
	'and a text for people');
queue_is_empty();

# A format for chats: names cannot call everybody.
restart_settings($node, 'pgbackup.webhook_format' => 'slack');
failing_backup('sh"op <!channel> {id}');
@sent = wait_for_requests($folder, 2);
my $chat = decode_json($sent[1]{body});
is_deeply([ keys %$chat ], ['text'], 'Slack gets a text');
like($chat->{text}, qr/&lt;!channel&gt;/, 'without markup from a name');

# A body of one's own.
restart_settings($node, 'pgbackup.webhook_format' => 'template',
	'pgbackup.webhook_template' => '{"summary": "{headline}", "severity": "{status}", "nested": {"run": {id}}}');
$id = failing_backup('sh"op <!channel> {id}');
@sent = wait_for_requests($folder, 3);
is_deeply(decode_json($sent[2]{body}),
	{ summary => qq{backup $id of database "sh"op <!channel> {id}" on berlin failed}, severity => 'failed', nested => { run => $id } },
	'a template is filled in, values escaped');

# An answer of 500 is tried again until it is 200, in order, and warned of once.
restart_settings($node, 'pgbackup.webhook_format' => 'json', 'pgbackup.notify_on' => 'all');
queue_is_empty();
my $log_start = -s $node->logfile;
answers_of($folder, 500, 500);
my @ids = map { start_backup($node, q{'shop'}) } 1 .. 2;
is(finished($node, $_), 'completed', 'a backup completes while the webhook fails') for @ids;
@sent = wait_for_requests($folder, 7);
is_deeply([ map { $_->{answer} } @sent[ 3 .. 6 ] ], [ 500, 500, 200, 200 ], 'what failed is sent again');
is_deeply([ map { decode_json($_->{body})->{id} } @sent[ 3 .. 6 ] ], [ $ids[0], $ids[0], $ids[0], $ids[1] ],
	'and what came later waits for it');
queue_is_empty();
is(warnings_in($node, 'webhook', $log_start), 1, 'the log has one warning of two failures');
like(substr(read_file($node->logfile), $log_start),
	qr{cannot be sent by webhook: http://127\.0\.0\.1:$port answered with status 500\n}, 'which says what failed');
$node->wait_for_log(qr/notifications are sent by webhook again/, $log_start);

# One that refuses a message gets the next one.
answers_of($folder, 400);
finished($node, start_backup($node, q{'shop'})) for 1 .. 2;
@sent = wait_for_requests($folder, 9);
isnt(decode_json($sent[7]{body})->{id}, decode_json($sent[8]{body})->{id}, 'what is refused is not sent again');
queue_is_empty();

# While one hangs, backups begin and end as ever.
answers_of($folder, 'hang');
is(finished($node, start_backup($node, q{'shop'})), 'completed', 'a backup completes');
wait_for_requests($folder, 10);
my $began = time;
is(finished($node, start_backup($node, q{'shop'})), 'completed', 'another one while the webhook hangs');
cmp_ok(time - $began, '<', 9, 'without waiting for it');
is((() = requests_of($folder)), 10, 'which is still hanging');
@sent = wait_for_requests($folder, 12);
is($sent[10]{body}, $sent[9]{body}, 'what it did not answer is sent again');
queue_is_empty();

# A dead agent, and a dead server of the webhook.
$log_start = -s $node->logfile;
$receiver->kill_kill(grace => 1);
my $slow = slow_programs($node);
$node->safe_psql('shop', 'CREATE TABLE big AS SELECT md5(n::text) FROM generate_series(1, 5000) AS n');
restart_settings($node, 'pgbackup.bin_directory' => $slow, 'pgbackup.notify_on' => 'failures');
$id = start_backup($node, q{'shop'});
wait_for_file("$slow/reached");
kill 'KILL', agent_of($node, $id);
is(finished($node, $id), 'failed', 'a backup whose agent is killed fails');
$node->poll_query_until('postgres', "SELECT attempts >= 2 FROM pgbackup.notification_targets WHERE channel = 'webhook' AND target <> ''")
  or die 'sending is not tried again';
is(warnings_in($node, 'webhook', $log_start), 1, 'a webhook that is down is one warning');
like($node->safe_psql('postgres', q{SELECT message FROM pgbackup.notification_targets WHERE channel = 'webhook' AND target <> ''}),
	qr{^no answer of http://127\.0\.0\.1:$port: }, 'the target says why it waits');
$node->restart;
start_receiver('webhook_receiver', $folder, $port);
queue_is_empty();
like((requests_of($folder))[-1]{body}, qr/"id":$id\b.*killed by signal 9/, 'and it is told of when the webhook is back');

# Pings: start, success and failure have URLs of their own; to several services.
restart_settings($node, 'pgbackup.webhook_format' => 'healthchecks', 'pgbackup.bin_directory' => '');
write_secret($urls, "http://127.0.0.1:$port/ping/one?create=1\nhttp://127.0.0.1:$port/ping/two/\n");
my $before = () = requests_of($folder);
is(finished($node, start_backup($node, q{'shop'})), 'completed', 'a backup completes');
failing_backup('shop');
wait_for_requests($folder, $before + 8);
queue_is_empty();
@sent = (requests_of($folder))[ $before .. $before + 7 ];
for my $check ([ one => '?create=1', '' ], [ two => '', '/' ])
{
	my ($name, $query, $slash) = @$check;
	is_deeply([ grep { m{/$name} } map { $_->{path} } @sent ],
		[ "/ping/$name/start$query", "/ping/$name$slash$query", "/ping/$name/start$query", "/ping/$name/fail$query" ],
		"service $name hears of starts, a success and a failure");
}
like($sent[-1]{body}, qr/nowhere/, 'and of the reason');

# The URL is a secret.
my $log = read_file($node->logfile);
unlike($log, qr/s3cr3t|t0k3n/, 'the log does not tell the URL');
unlike($node->safe_psql('postgres', q{SELECT string_agg(t::text, '') FROM (SELECT b::text FROM pgbackup.backups b
	UNION ALL SELECT t::text FROM pgbackup.notification_targets t UNION ALL SELECT name || setting FROM pg_settings) AS t}), qr/s3cr3t|t0k3n/, 'nor do catalog and settings');
chmod 0644, $urls;
$log_start = -s $node->logfile;
failing_backup('shop');
$node->wait_for_log(qr/WARNING:  pgbackup: notifications cannot be sent by webhook: could not read the URLs in "\Q$urls\E": it is readable by others/, $log_start);
pass('a file that others may read is refused');
restart_settings($node, 'pgbackup.webhook_url_file' => '');
failing_backup('shop');
queue_is_empty();

done_testing();
