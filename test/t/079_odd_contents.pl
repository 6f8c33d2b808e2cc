# What is in a database though it should not be: a row that the server can store and not send, privileges
# of roles that are gone.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('odd', 'pgbackup.parallel_threshold' => 0);
my $store = $node->basedir . '/store';

sub value { return $node->safe_psql('postgres', $_[0]) }
sub restore_row { return row_of($node, $_[0], 'restores') }

# A role that DROP ROLE would not let go.
value("CREATE ROLE $_") for 'gone', 'here';
value('CREATE DATABASE shop');
$node->safe_psql('shop', q{
	CREATE TABLE t AS SELECT 1 AS a;
	CREATE TABLE u AS SELECT 2 AS a;
	GRANT SELECT ON t TO here, gone WITH GRANT OPTION;
	SET ROLE gone;
	GRANT SELECT ON t TO PUBLIC;
	RESET ROLE;
	GRANT INSERT ON t TO here;
	GRANT UPDATE (a) ON u TO gone;
	ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO gone, here;
	CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1;
	GRANT EXECUTE ON FUNCTION f() TO gone});
my $oid = value(q{SELECT 'gone'::regrole::oid});
value(q{SET allow_system_table_mods = on; DELETE FROM pg_shdepend WHERE refobjid = 'gone'::regrole; DELETE FROM pg_authid WHERE rolname = 'gone'});

my $privileges = q{SELECT string_agg(privilege_type, ' ' ORDER BY privilege_type), string_agg(DISTINCT grantee::regrole::text, ' ')
	FROM pg_class, aclexplode(relacl) WHERE relname = 't' AND grantee <> relowner AND grantee <> 0};
for my $format ('custom', 'parallel')
{
	my $id = start_backup($node, "'shop', format => '$format'");
	is(finished($node, $id), 'completed', "$format: a backup with privileges of a role that is gone");
	like($node->safe_psql('shop', 'SELECT relacl FROM pg_class WHERE oid = \'t\'::regclass'), qr/\b$oid=/, 'whose number is all that is left');
	my $restore = start_restore($node, "$id, 'back'");
	is(finished($node, $restore), 'completed', "$format: it is restored") or diag(explain(restore_row($restore)));
	like(restore_row($restore)->{message},
		qr/privileges of roles that were gone when the backup was made were left out: on (?=.*TABLE t \(public\))(?=.*COLUMN u\.a \(public\))(?=.*FUNCTION f\(\) \(public\))/,
		"$format: the remark names what they were on");
	is($node->safe_psql('back', $privileges), 'INSERT SELECT|here', "$format: other privileges on the same table are there");
	is($node->safe_psql('back', q{SELECT count(*) FROM pg_default_acl, aclexplode(defaclacl) WHERE grantee = 'here'::regrole}), 1, "$format: also by default");
	is($node->safe_psql('back', 'SELECT (SELECT a FROM t), (SELECT a FROM u)'), '1|2', "$format: as are the rows");
	value('DROP DATABASE back');
	my $proof = value("SELECT pgbackup.verify($id, 'restore')");
	is(finished($node, $proof), 'completed', "$format: the backup is good") or diag(explain(restore_row($proof)));
	my ($status, undef, $err) = pgbackup($node, 'restore', $id, '--storage', "file://$store", '-h', $node->host, '-p', $node->port, '--target-database', 'back');
	is($status, 0, "$format: also on the command line") or diag($err);
	is($node->safe_psql('back', $privileges), 'INSERT SELECT|here', "$format: where it brings the same");
	value('DROP DATABASE back');
}

# A role that is missing here and was not there is another matter.
value('CREATE ROLE "4711"');
$node->safe_psql('shop', 'GRANT SELECT ON u TO "4711"');
my $id = start_backup($node, q{'shop'});
is(finished($node, $id), 'completed', 'a backup with privileges of a role whose name is a number');
$node->safe_psql('shop', 'DROP OWNED BY "4711"');
value('DROP ROLE "4711"');
my $restore = start_restore($node, "$id, 'back'");
is(finished($node, $restore), 'failed', 'is not restored without it');
like(restore_row($restore)->{message} . restore_row($restore)->{detail}, qr/a role is missing here: "4711"/, 'which is named');

# A row that the server cannot send: each backslash takes two.
value('CREATE DATABASE large');
$node->safe_psql('large', q{CREATE TABLE "Big one" (id int, a text); INSERT INTO "Big one" VALUES (1, repeat('\\', 600000000)); CREATE TABLE small AS SELECT 1 AS i});
$id = start_backup($node, q{'large'});
is(finished($node, $id), 'failed', 'a row that is too large to be sent');
my $row = row_of($node, $id);
is($row->{message}, 'table public."Big one" has a row that the server cannot send', 'the row of the run names the table');
like($row->{detail}, qr/this one takes 1\d{9} bytes or more/, 'and the size');
like($row->{hint}, qr/exclude_table_data/, 'and what to do');
$id = start_backup($node, q{'large', exclude_table_data => '{"public.\"Big one\""}'});
is(finished($node, $id), 'completed', 'which helps') or diag(explain(row_of($node, $id)));

$node->stop;
done_testing();
