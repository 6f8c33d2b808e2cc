# A role that may create databases gives one a name that is no text elsewhere: nobody else's backups, checks and
# notifications suffer from it.
use strict;
use warnings;

use FindBin;
use IPC::Run;
use JSON::PP;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Receiver;
use Test::More;

my $odd = "odd\xff";
# A client whose encoding the server converts to, and checks.
my %client = (UTF8 => "SET client_encoding = 'WIN1252';", SQL_ASCII => '', WIN1252 => "SET client_encoding = 'UTF8';");

sub as_role
{
	my ($node, $role, $database, $sql) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', $role, '-d', $node->connstr($database), '-f', '-' ], '<', \$sql, '>', \$out, '2>', \$err);
	chomp $out;
	return ($? >> 8, $out, $err);
}

for my $encoding (qw(UTF8 SQL_ASCII WIN1252))
{
	local $ENV{PGCLIENTENCODING};
	delete $ENV{PGCLIENTENCODING};
	my $node = new_cluster("foreign_\L$encoding", -init => [ "--encoding=$encoding", '--locale=C' ]);
	my $folder = $node->basedir . '/receiver';
	my ($receiver, $port) = start_receiver('webhook_receiver', $folder);
	my $urls = $node->basedir . '/urls';
	write_secret($urls, "http://127.0.0.1:$port/hook\n");
	$node->safe_psql('postgres', q{CREATE ROLE creator LOGIN CREATEDB; CREATE ROLE operator LOGIN; SELECT pgbackup.grant_access('operator', 'operator')});
	$node->safe_psql('postgres', 'CREATE DATABASE shop');
	$node->safe_psql('shop', 'CREATE TABLE orders AS SELECT n FROM generate_series(1, 100) AS n');
	restart_settings($node, 'pgbackup.webhook_url_file' => $urls, 'pgbackup.notify_on' => 'all', 'pgbackup.retry_count' => 0);

	# In WIN1252 that byte is a letter, but this one is none, and has no counterpart in UTF-8.
	my $name = $encoding eq 'WIN1252' ? "odd\x81" : $odd;
	my ($code, undef, $err) = as_role($node, 'creator', 'postgres', q{CREATE DATABASE loose TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'});
	is($code, 0, "[$encoding] a database without an encoding") or diag($err);
	($code, undef, $err) = as_role($node, 'creator', 'loose', qq{CREATE DATABASE "$name"});
	is($code, 0, "[$encoding] and from there one whose name is no text") or diag($err);
	my $is_text = $node->safe_psql('postgres', q{SELECT pgbackup._is_valid_name(datname) FROM pg_database WHERE datname ^@ 'odd'});

	($code, my $checked, $err) = as_role($node, 'operator', 'postgres', 'SELECT item, status, detail FROM pgbackup.check()');
	is($code, 0, "[$encoding] check() answers") or diag($err);
	unlike($checked, qr/^agent\|error/m, "[$encoding] the agent understands what it is asked");
	like($checked, qr/^upload\||^storage[^\n]*\|ok/m, "[$encoding] and tries the storage");
	unless ($is_text eq 't')
	{
		like($checked, qr/^databases\|warning\|database "odd\?" has a name that is not text/m, "[$encoding] the name is a warning");
		(undef, undef, $err) = as_role($node, 'operator', 'postgres', q{SELECT pgbackup.create(datname) FROM pg_database WHERE datname ^@ 'odd'});
		like($err, qr/ERROR:\s+database "odd\?" cannot be backed up under this name/, "[$encoding] a backup of it is refused");
		like($node->safe_psql('postgres', q{SELECT database, status, reasons FROM pgbackup.health() WHERE database ^@ 'odd'}),
			qr/^odd\?\|warning\|.*its name is not text/, "[$encoding] health shows it");
	}
	for my $query ('SELECT * FROM pgbackup.health()', 'SELECT pgbackup.dashboard()', 'SELECT pgbackup.metrics_text()')
	{
		($code, undef, $err) = as_role($node, 'operator', 'postgres', $client{$encoding} . $query);
		is($code, 0, "[$encoding] $query") or diag($err);
	}

	# The schedule's backups, and the notifications of them.
	$node->safe_psql('postgres', q{SELECT pgbackup._start_slot('default', now()); SELECT pgbackup._wake_launcher()});
	ok($node->poll_query_until('postgres', q{SELECT bool_and(status NOT IN ('pending', 'in_progress')) AND count(*) >= 3 FROM pgbackup.backups}),
		"[$encoding] the backups of the schedule end");
	is($node->safe_psql('postgres', q{SELECT string_agg(database::text, ' ' ORDER BY database) FROM pgbackup.backups WHERE status = 'completed'}),
		'loose postgres shop', "[$encoding] those of all other databases complete")
	  or diag($node->safe_psql('postgres', 'SELECT id, status, message FROM pgbackup.backups'));
	# One that was queued under the odd name nevertheless fails, and its notification stops none.
	$node->safe_psql('postgres', q{INSERT INTO pgbackup.backups (database, storage, format, options)
		SELECT datname, current_setting('pgbackup.storage'), 'custom', pgbackup._default_options() FROM pg_database WHERE datname ^@ 'odd';
		SELECT pgbackup._wake_launcher()});
	ok($node->poll_query_until('postgres', q{SELECT count(*) >= 1 FROM pgbackup.backups WHERE database ^@ 'odd' AND status = 'failed'}),
		"[$encoding] a backup under the odd name fails");
	# Nor does one that no agent can read.
	$node->safe_psql('postgres', q{INSERT INTO pgbackup.notifications (channel, kind, run_id, event) VALUES ('webhook', 'backup', 0, '"no object"')});
	my $last = start_backup($node, q{'shop'});
	is(finished($node, $last), 'completed', "[$encoding] another backup");
	ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.notifications'), "[$encoding] no notification waits")
	  or diag($node->safe_psql('postgres', 'TABLE pgbackup.notification_targets'));
	my @told = map { JSON::PP->new->decode($_->{body}) } requests_of($folder);
	is(scalar(grep { $_->{status} eq 'completed' } @told), 4, "[$encoding] each completed backup was told");
	is(scalar(grep { $_->{database} =~ /^odd/ && $_->{status} eq 'failed' } @told), $is_text eq 't' ? 2 : 1, "[$encoding] and the failure under the odd name");
	is($told[-1]{id}, $last, "[$encoding] the last one, too");
	like(slurp_file($node->logfile), qr/WARNING:\s+pgbackup: the notification of backup 0 by webhook is given up: /, "[$encoding] what cannot be read is given up, and logged");
	$node->stop;
}
done_testing();
