# The passkey of restores that replace a database: who needs it, that wrong ones take as long as the right
# one, and that it is kept and written down nowhere.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use IO::Pty;
use IPC::Run;
use PgBackup;
use POSIX qw(ECHO);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $passkey = 'three tame Tapire';
my $node = new_cluster('passkey', log_min_messages => 'debug2', log_statement => 'none');
$node->safe_psql('postgres', 'CREATE DATABASE shop; CREATE ROLE keeper LOGIN; CREATE ROLE nobody LOGIN');
$node->safe_psql('postgres', q{SELECT pgbackup.grant_access('keeper', 'admin')});
$node->safe_psql('shop', 'CREATE TABLE orders AS SELECT n FROM generate_series(1, 100) AS n');
my $id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'a backup');

# The command that makes the hash: from standard input and from a terminal.
sub hashed
{
	my ($input) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ pgbackup_path($node), 'hash-passkey' ], '<', \$input, '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

# Types each text when its prompt is there and the terminal shows nothing any more. Returns the exit status
# and all that could be seen.
sub typed
{
	my (@dialogue) = @_;
	my $terminal = IO::Pty->new;
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		$terminal->make_slave_controlling_terminal;
		my $slave = $terminal->slave->fileno;
		POSIX::dup2($slave, $_) foreach 0 .. 2;
		exec pgbackup_path($node), 'hash-passkey' or POSIX::_exit(99);
	}
	$terminal->close_slave;
	$terminal->blocking(0);
	my $seen = '';
	my $hides = sub {
		my $state = POSIX::Termios->new;
		$state->getattr(fileno $terminal);
		return !($state->getlflag & ECHO);
	};
	my $look = sub { while (sysread $terminal, my $more, 1000) { $seen .= $more } };
	for my $step (@dialogue)
	{
		my ($prompt, $text) = @$step;
		wait_until(sub { $look->(); $seen =~ /\Q$prompt\E$/ && $hides->() }, "the prompt \"$prompt\"");
		syswrite $terminal, $text;
	}
	my $status;
	wait_until(sub { $look->(); $status = $? if waitpid($pid, POSIX::WNOHANG()) == $pid; defined $status }, 'the end of hash-passkey');
	$look->();
	return ($status >> 8, $seen);
}

my ($status, $out, $err) = hashed("$passkey\n");
is($status, 0, 'hash-passkey reads standard input') or diag($err);
my ($hash) = $out =~ /^pgbackup\.restore_passkey = '(scrypt\$ln=\d+,r=8,p=1\$[0-9a-f]{32}\$[0-9a-f]{64})'\n$/;
ok(defined $hash, 'and prints the line for postgresql.conf') or diag($out);
for my $case ([ 'nothing', '', qr/error: there is no passkey on standard input/ ], [ 'a short one', "secret\n", qr/error: the passkey has fewer than 8 characters/ ])
{
	($status, $out, $err) = hashed($case->[1]);
	is("$status $out", '1 ', "$case->[0] is refused");
	like($err, $case->[2], 'which is said');
}
($status, $out) = typed([ 'Passkey: ', "$passkey\n" ], [ 'The same again: ', "$passkey\n" ]);
is($status, 0, 'hash-passkey asks twice on a terminal') or diag($out);
like($out, qr/^pgbackup\.restore_passkey = 'scrypt/m, 'and prints the line');
unlike($out, qr/Tapire/, 'but not the passkey');
($status, $out) = typed([ 'Passkey: ', "$passkey\n" ], [ 'The same again: ', "another one\n" ]);
is($status, 1, 'two that differ are refused');
like($out, qr/error: the two passkeys are not the same/, 'which is said');
is((typed([ 'Passkey: ', "\x03" ]))[0], 130, 'Ctrl-C ends it');

# Who needs it.
sub fails
{
	my ($sql, $sqlstate, $pattern, $title, @options) = @_;
	my ($code, undef, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\n$sql", @options);
	isnt($code, 0, $title);
	like($error, qr/ERROR:\s+$sqlstate: $pattern/, 'with this error');
	like($error, qr/HINT: /, 'and what to do');
	return;
}

fails("SELECT pgbackup.restore($id, 'shop', replace => true, passkey => '$passkey')", '55000',
	qr/no passkey is configured/, 'a passkey without the setting is refused');
restart_settings($node, 'pgbackup.restore_passkey' => $hash);
fails("SELECT pgbackup.restore($id, 'shop', replace => true)", '28000', qr/replacing a database takes the passkey/, 'none is given');
fails("SELECT pgbackup.restore($id, 'shop', replace => true, passkey => 'three lame Tapire')", '28P01', qr/wrong passkey/, 'a wrong one is given');
fails("SELECT pgbackup.restore($id, 'shop', replace => true, passkey => '')", '28P01', qr/wrong passkey/, 'an empty one is given');
fails("SELECT pgbackup.restore($id, 'elsewhere', passkey => 'three lame Tapire')", '28P01', qr/wrong passkey/,
	'a wrong one is given where none is needed');
fails("SELECT pgbackup.restore($id, 'shop', replace => true)", '28000', qr/replacing a database takes the passkey/,
	'the level admin needs it, too', extra_params => [ '-U', 'keeper' ]);
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.restores'), 0, 'no restore is asked for');
is(finished($node, start_restore($node, "$id, 'elsewhere'")), 'completed', 'a new database takes none');
is(finished($node, start_restore($node, "$id, 'shop', replace => true, dry_run => true")), 'completed', 'nor does a dry run');
is(finished($node, start_restore($node, "$id, 'shop', tables => '{public.orders}', into_schema => 'recovered'")), 'completed',
	'nor tables beside those in use');
my $restore = start_restore($node, "$id, 'shop', replace => true, passkey => '$passkey'");
is(finished($node, $restore), 'completed', 'the right one replaces the database');
fails("SELECT pgbackup.undo_restore($restore)", '28000', qr/replacing a database takes the passkey/, 'undo without it');
fails("SELECT pgbackup.undo_restore($restore, 'three lame Tapire')", '28P01', qr/wrong passkey/, 'undo with a wrong one');
is(finished($node, $node->safe_psql('postgres', "SELECT pgbackup.undo_restore($restore, passkey => '$passkey')")), 'completed', 'undo with the right one');

# Every answer takes as long. By turns, so that what else the machine does is shared.
my @given = ($passkey, 'x', 'three tame Tapirf', '');
my $answers = join ', ', map { $_ eq '' ? 'NULL' : "'$_'" } @given;
my (undef, undef, $notices) = $node->psql('postgres', qq{
	DO \$\$
	DECLARE began timestamptz; answers text[] := ARRAY[$answers];
	BEGIN
		FOR i IN 0 .. 19 LOOP
			began := clock_timestamp();
			BEGIN
				PERFORM pgbackup._check_passkey(answers[i % 4 + 1], true);
			EXCEPTION WHEN invalid_authorization_specification OR invalid_password THEN
			END;
			RAISE NOTICE 'answer %: % s', i % 4, extract(epoch FROM clock_timestamp() - began);
		END LOOP;
	END \$\$});
my @median;
for my $n (0 .. 3)
{
	my @seconds = sort { $a <=> $b } $notices =~ /answer $n: ([\d.]+) s/g;
	is(scalar @seconds, 5, "five times with '$given[$n]'");
	$median[$n] = $seconds[2];
}
diag('measured: the right passkey ' . join ' s, another ', @median);
for my $n (1 .. 3)
{
	cmp_ok($median[$n], '>', $median[0] / 3, "'$given[$n]' takes no less than the right one");
	cmp_ok($median[$n], '<', $median[0] * 3, 'and no more');
}

# The hash is for those who may see such settings.
($status, undef, $err) = $node->psql('postgres', 'SHOW pgbackup.restore_passkey', extra_params => [ '-U', 'nobody' ]);
isnt($status, 0, 'not everybody can see the hash');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_settings WHERE name = 'pgbackup.restore_passkey'}, extra_params => [ '-U', 'nobody' ]), 0,
	'nor in pg_settings');
($status, undef, $err) = $node->psql('postgres', "ALTER SYSTEM SET pgbackup.restore_passkey = 'a passkey in clear'");
like($err, qr/^psql:<stdin>:1: ERROR:\s+invalid value for parameter "pgbackup\.restore_passkey"\n.*DETAIL:/s, 'a passkey is no hash');
unlike($err, qr/ERROR.*in clear.*DETAIL/s, 'and is not repeated');

# The passkey itself is nowhere, whether a run is refused, fails or completes.
for my $arguments ("$id, 'shop', replace => true, passkey => '$passkey!'", "999, 'shop', passkey => '$passkey'",
	"$id, 'elsewhere', passkey => '$passkey'")
{
	for my $sql ("SELECT pgbackup.restore($arguments)", "CALL pgbackup.run_restore($arguments)", "BEGIN; CALL pgbackup.run_restore($arguments)")
	{
		for my $role ('keeper', $node->safe_psql('postgres', 'SELECT current_user'))
		{
			$node->psql('postgres', $sql, extra_params => [ '-U', $role ]);
		}
	}
}
$node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM pgbackup.restores WHERE status IN ('pending', 'in_progress'))}) or die;
like($node->safe_psql('postgres', q{SELECT string_agg(status, ' ') FROM pgbackup.restores}), qr/failed/, 'some runs have failed');
$node->psql('postgres', "CALL pgbackup.run_restore($id, 'in_clear', passkey => '$passkey')");
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname = 'in_clear'}), 1, 'and one has completed');
unlike($node->safe_psql('postgres', 'SELECT string_agg(r::text, $$ $$) FROM pgbackup.restores AS r'), qr/Tapire/, 'it is not in the catalog');
my $log = read_file($node->logfile);
like($log, qr/restore backup $id into database "shop"/, 'the log has who has asked for what');
is(join("\n", grep { /Tapire/ } split /\n/, $log), '', 'but no passkey');
$node->psql('postgres', "SELECT pgbackup.no_such_function(passkey => '$passkey')");
like(read_file($node->logfile), qr/Tapire/, 'which would be found there');
$node->stop;
done_testing();
