# Whatever fails, the server's log is not filled: there are a few lines a minute, and what was left out is said.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $databases = 12;
my $node = new_cluster('node', 'pgbackup.retry_count' => 0, 'pgbackup.bin_directory' => '/nowhere');
$node->safe_psql('postgres', "CREATE DATABASE db$_") for 1 .. $databases;
my $log = -s $node->logfile;

sub lines { my ($pattern) = @_; my @found = slurp_file($node->logfile, $log) =~ /^.*$pattern.*$/mg; return @found }

my $last;
$last = start_backup($node, "'db$_'") for 1 .. $databases;
is($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pgbackup.backups WHERE status IN ('pending', 'in_progress')}), 1, 'all runs end');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.backups WHERE status = 'failed'}), $databases, 'as failed');
is(scalar(lines('pgbackup: backup \\d+ of database "db\\d+" failed')), 4, 'four are in the log');
wait_until(sub { lines('left out') }, 'the next line', 200);
my $left_out = $databases - 4;
like((lines('left out'))[0], qr/WARNING:  pgbackup: messages about runs left out, so as not to fill this log: $left_out, the last of them: backup \d+ of database "db\d+" failed: /,
	'a minute later it is said how many were left out, with the last one');

# An error within a function that a trigger calls within a statement.
$node->safe_psql('postgres', q{CREATE FUNCTION public.fails() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'disk of straw' USING ERRCODE = '53100'; END$$;
	CREATE TRIGGER fails BEFORE UPDATE ON pgbackup.backups FOR EACH ROW EXECUTE FUNCTION public.fails()});
$log = -s $node->logfile;
start_backup($node, q{'db1'});
wait_until(sub { lines('ERROR:  disk of straw') && lines('CONTEXT:') }, 'the error');
unlike(slurp_file($node->logfile, $log), qr/^\t/m, 'the context of an error of the launcher has one line');

# The launcher is ended within such a function.
$node->safe_psql('postgres', q{CREATE OR REPLACE FUNCTION public.fails() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(1000); RETURN NEW; END$$});
my $is_within = q{pid = pgbackup.launcher_pid() AND wait_event = 'PgSleep'};
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE $is_within") or die;
$log = -s $node->logfile;
$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $is_within");
wait_until(sub { lines('FATAL:  terminating background worker') && lines('CONTEXT:') }, 'its end');
unlike(slurp_file($node->logfile, $log), qr/^\t/m, 'so has that of its end');
$node->safe_psql('postgres', 'DROP FUNCTION public.fails() CASCADE');

$node->stop;
done_testing();
