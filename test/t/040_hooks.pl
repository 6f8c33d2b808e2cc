# What runs before and after a backup: programs by argv with an environment of their own, and SQL; what
# their failures do, and what they do not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('hooks', 'pgbackup.hook_databases' => 'shop');
my $store = $node->basedir . '/store';
my $said = $node->basedir . '/said';
my $hook = $node->basedir . '/hook';
PostgreSQL::Test::Utils::append_to_file($hook, <<"SCRIPT");
#!/bin/bash
case \$1 in
fail) printf 'first\\nsecond of %s\\n' "\$PGBACKUP_DATABASE" >&2; exit 3 ;;
hang) echo \$\$ >"$said.pid"; exec sleep 600 ;;
esac
{ printf '%s\\n' "\$PWD" "\$#" "\$@"; env | sort; } >"$said.\$PGBACKUP_PHASE"
SCRIPT
chmod 0755, $hook;
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE TABLE t AS SELECT 1 AS n; CREATE TABLE log (id serial, what text)');

sub said
{
	my ($phase) = @_;
	my $text = read_file("$said.$phase");
	unlink "$said.$phase";
	return $text // '';
}

# Arguments are what they are, and the environment is ours.
restart_settings($node, 'pgbackup.retry_count' => 0,
	'pgbackup.pre_backup_command' => qq{["$hook", "a b", "\$HOME; `x` \\"q\\"", ""]},
	'pgbackup.post_backup_command' => qq{["$hook"]},
	'pgbackup.pre_backup_sql' => q{INSERT INTO public.log (what) VALUES (current_database())},
	'pgbackup.post_backup_sql' => q{INSERT INTO public.log (what) SELECT count(*)::text FROM public.log});
my $id = start_backup($node, qq{'shop', label => 'l 1'});
is(finished($node, $id), 'completed', 'a backup with hooks completes');
is(row_of($node, $id)->{message}, '', 'without a remark') or diag(row_of($node, $id)->{message});
my ($before, $after) = (said('pre'), said('post'));
like($before, qr{^/\n3\na b\n\$HOME; `x` "q"\n\n}s, 'arguments reach the program as they are');
my $file_name = row_of($node, $id)->{file_name};
for my $line ("PGBACKUP_ID=$id", 'PGBACKUP_DATABASE=shop', 'PGBACKUP_LABEL=l 1', 'PGBACKUP_TYPE=manual',
	"PGBACKUP_STORAGE=file://$store", "PGBACKUP_FILE_NAME=$file_name")
{
	like($before, qr/^\Q$line\E$/m, "its environment has $line");
}
unlike($before, qr/^PGBACKUP_STATUS=/m, 'no status before');
like($after, qr/^PGBACKUP_STATUS=completed$/m, 'and one after');
like($after, qr/^PGBACKUP_FILE_SIZE=[1-9]/m, 'with the size');
my %known = map { $_ => 1 } qw(PATH HOME LANG LC_ALL PWD OLDPWD SHLVL _);
is_deeply([ grep { !$known{$_} && !/^PGBACKUP_/ } map { /^([A-Za-z_]+)=/ } split /\n/, $before ], [],
	'and nothing that pgbackup did not put there');
is($node->safe_psql('shop', q{SELECT string_agg(what, ',' ORDER BY id) FROM log}), 'shop,1', 'SQL runs in the database, before and after');

# A program that fails before the backup.
restart_settings($node, 'pgbackup.pre_backup_command' => qq{["$hook", "fail"]});
$id = fails_with($node, q{'shop'}, qr/pre_backup_command exited with status 3: second of shop .*first \| second of shop/s,
	'a failing command before', $store);
$after = said('post');
like($after, qr/^PGBACKUP_STATUS=failed$/m, 'the one after hears of it');
like($after, qr/^PGBACKUP_MESSAGE=.*second of shop$/m, 'and why');

# SQL that fails before.
restart_settings($node, 'pgbackup.pre_backup_command' => '', 'pgbackup.pre_backup_sql' => 'SELECT 1/0');
fails_with($node, q{'shop'}, qr/pre_backup_sql failed: division by zero/, 'failing SQL before', $store);

# What takes too long.
restart_settings($node, 'pgbackup.hook_timeout' => 1, 'pgbackup.pre_backup_sql' => 'SELECT pg_sleep(600)');
fails_with($node, q{'shop'}, qr/pre_backup_sql took longer than 1 s/, 'slow SQL before', $store);
restart_settings($node, 'pgbackup.pre_backup_sql' => '', 'pgbackup.pre_backup_command' => qq{["$hook", "hang"]});
fails_with($node, q{'shop'}, qr/pre_backup_command took longer than 1 s/, 'a slow command before', $store);
my $pid = read_file("$said.pid") + 0;
ok(!kill(0, $pid), 'which is gone');

# No program at all.
restart_settings($node, 'pgbackup.pre_backup_command' => '["/nowhere/hook"]');
fails_with($node, q{'shop'}, qr{/nowhere/hook}, 'a missing command before', $store);

# Failures after a backup are remarks.
restart_settings($node, 'pgbackup.pre_backup_command' => '', 'pgbackup.post_backup_command' => qq{["$hook", "fail"]},
	'pgbackup.post_backup_sql' => 'SELECT nothing');
$id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'a backup completes whatever fails behind it');
like(row_of($node, $id)->{message},
	qr/post_backup_sql failed: column "nothing" does not exist .SQLSTATE 42703.; pgbackup.post_backup_command exited with status 3: second of shop/,
	'with a remark');

# A cancelled backup ends the program it waits for.
unlink "$said.pid";
restart_settings($node, 'pgbackup.hook_timeout' => 600, 'pgbackup.post_backup_sql' => '',
	'pgbackup.post_backup_command' => qq{["$hook"]}, 'pgbackup.pre_backup_command' => qq{["$hook", "hang"]});
$id = start_backup($node, q{'shop'});
wait_for_file("$said.pid");
$node->safe_psql('postgres', "SELECT pgbackup.cancel($id)");
is(finished($node, $id), 'cancelled', 'a backup is cancelled while a command runs');
$pid = read_file("$said.pid") + 0;
wait_until(sub { !$pid || !kill(0, $pid) }, 'the end of the command');
like(said('post'), qr/^PGBACKUP_STATUS=cancelled$/m, 'the command after it hears of that');

# One that pgbackup.timeout ends has failed, in the row and for the command after it.
restart_settings($node, 'pgbackup.timeout' => 2);
my $too_long = qr/took longer than pgbackup.timeout \(2 seconds\) and was stopped/;
fails_with($node, q{'shop'}, qr/^$too_long /, 'a backup that takes too long', $store);
$after = said('post');
like($after, qr/^PGBACKUP_STATUS=failed$/m, 'the command after it hears of a failure');
like($after, qr/^PGBACKUP_MESSAGE=$too_long$/m, 'and the same reason');

# A tenant prepares what the statement names: its trigger and rule get no rights of the statement's.
restart_settings($node, 'pgbackup.hook_timeout' => 60, 'pgbackup.pre_backup_command' => '', 'pgbackup.post_backup_command' => '',
	'pgbackup.post_backup_sql' => '', 'pgbackup.pre_backup_sql' => q{UPDATE cron.job SET active = false});
$node->safe_psql('postgres', 'CREATE ROLE tenant LOGIN');
$node->safe_psql('postgres', "CREATE DATABASE $_ OWNER tenant") for qw(trap quiet);
my $trap = q{
	CREATE SCHEMA cron;
	CREATE TABLE cron.job (jobname text, active bool);
	INSERT INTO cron.job VALUES ('churn', true);
	CREATE FUNCTION cron.t() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF current_setting('is_superuser') = 'on' OR current_user <> 'tenant' THEN ALTER ROLE tenant SUPERUSER; END IF;
		RETURN NEW;
	END $$;
	CREATE TRIGGER t BEFORE UPDATE ON cron.job FOR EACH ROW EXECUTE FUNCTION cron.t()};
my $is_super = q{SELECT rolsuper FROM pg_roles WHERE rolname = 'tenant'};
$node->safe_psql($_, $trap, extra_params => [ '-U', 'tenant' ]) for qw(trap quiet);
restart_settings($node, 'pgbackup.hook_databases' => 'trap');
is(finished($node, start_backup($node, q{'trap'})), 'completed', 'a backup whose SQL meets a trap completes');
is($node->safe_psql('postgres', $is_super), 'f', 'and gives no rights');
is($node->safe_psql('trap', 'SELECT active FROM cron.job'), 'f', 'the statement has run');
is(finished($node, start_backup($node, q{'quiet'})), 'completed', 'a backup of a database that is not named');
is($node->safe_psql('quiet', 'SELECT active FROM cron.job'), 't', 'runs no SQL there');
$node->safe_psql('trap', q{CREATE RULE r AS ON UPDATE TO cron.job DO ALSO SELECT lo_create(888888)}, extra_params => [ '-U', 'tenant' ]);
fails_with($node, q{'trap'}, qr/function lo_create.* cannot be called with superuser rights/, 'a rule that calls what a superuser may', $store);
is($node->safe_psql('trap', 'SELECT count(*) FROM pg_largeobject_metadata'), 0, 'does nothing');
restart_settings($node, 'pgbackup.hook_databases' => '');
is(finished($node, start_backup($node, q{'trap'})), 'completed', 'SQL without databases runs nowhere');
is($node->safe_psql('postgres', q{SELECT detail FROM pgbackup.check() WHERE item = 'hooks'}),
	'pgbackup.pre_backup_sql or pgbackup.post_backup_sql is set, but runs in no database', 'which check() reports');

done_testing();
