# Restores that fail in each of their parts: the database to be replaced stays as it was, the one that was
# being filled is gone, and the row has pg_restore's own words.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('failing_restore');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
my $before = database_as_text($node, 'shop');

sub databases
{
	return $node->safe_psql('postgres', 'SELECT string_agg(oid || datname, chr(32) ORDER BY datname) FROM pg_database');
}

# Makes a database that cannot be restored, takes its backups, and tries them: in place of shop, and under
# a name of its own. `then` is what happens between backup and restore.
sub cannot_be_restored
{
	my ($name, $sql, $pattern, %more) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, $sql);
	foreach my $format ('custom', 'parallel')
	{
		my $id = start_backup($node, "'$name', format => '$format'");
		is(finished($node, $id), 'completed', "$name: a $format backup") or diag(explain(row_of($node, $id)));
		$more{backups}{$format} = $id;
	}
	$node->safe_psql($name, $more{then}) if $more{then};
	my $databases = databases();
	foreach my $format ('custom', 'parallel')
	{
		foreach my $target ("'shop', replace => true", "'fresh'")
		{
			my $title = "$name, $format into $target";
			my $id = start_restore($node, "$more{backups}{$format}, $target");
			is(finished($node, $id), 'failed', "$title: the restore fails");
			my $row = row_of($node, $id, 'restores');
			like("$row->{message} $row->{detail}", $pattern, "$title: the row says why");
			like($row->{message}, $more{tool} // qr/^pg_restore of /, "$title: in the words of what failed");
			isnt($row->{hint}, '', "$title: and what to do");
			is(databases(), $databases, "$title: no database has come, gone or changed its name");
			is($node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.removals'), 0, "$title: the restore has cleaned up itself");
		}
	}
	ok(database_as_text($node, 'shop') eq $before, "$name: the database to be replaced is as it was");
	return;
}

cannot_be_restored('pre_data', q{
	CREATE TABLE t AS SELECT 1 AS i;
	CREATE FUNCTION handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
	UPDATE pg_proc SET probin = '$libdir/no_such_library' WHERE proname = 'handler'},
	qr/could not access file .*no_such_library/);

cannot_be_restored('rows', q{
	CREATE FUNCTION fits(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
	CREATE TABLE t (i int CHECK (fits(i)));
	INSERT INTO t SELECT generate_series(1, 1000);
	CREATE OR REPLACE FUNCTION fits(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 < 900; END'},
	qr/row for relation "t" violates check constraint "t_i_check"/);

cannot_be_restored('unique_index', q{
	CREATE TABLE t AS SELECT i / 2 AS i FROM generate_series(1, 1000) i;
	CREATE INDEX t_i ON t (i);
	UPDATE pg_index SET indisunique = true WHERE indexrelid = 't_i'::regclass},
	qr/could not create unique index "t_i"/);

cannot_be_restored('foreign_key', q{
	CREATE TABLE parent (id int PRIMARY KEY);
	CREATE TABLE child (parent int REFERENCES parent);
	SET session_replication_role = replica;
	INSERT INTO child VALUES (4711)},
	qr/insert or update on table "child" violates foreign key constraint "child_parent_fkey"/);

cannot_be_restored('orphaned', q{
	CREATE ROLE leaving;
	CREATE TABLE t AS SELECT 1 AS i;
	ALTER TABLE t OWNER TO leaving},
	qr/leaving/, then => q{REASSIGN OWNED BY leaving TO CURRENT_USER; DROP ROLE leaving}, tool => qr/role/);

SKIP:
{
	my $small = $ENV{PGBACKUP_TEST_SMALL_TABLESPACE};
	skip 'no small file system: PGBACKUP_TEST_SMALL_TABLESPACE is not set (scripts/test makes one, as root)', 28 unless $small;
	$node->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$small'");
	cannot_be_restored('full_disk', q{
		CREATE TABLE t (t text) TABLESPACE small;
		ALTER TABLE t ALTER t SET STORAGE PLAIN;
		INSERT INTO t SELECT repeat(md5(i::text), 200) FROM generate_series(1, 350) i},
		qr/No space left on device/);
	is($node->safe_psql('full_disk', 'SELECT count(*) FROM t'), 350, 'the rows on the full disk are there');
}

# None of it was the restores' own fault.
my $good = start_backup($node, q{'shop'});
is(finished($node, $good), 'completed', 'a good backup');
my $restore = start_restore($node, "$good, 'shop', replace => true");
is(finished($node, $restore), 'completed', 'is restored');
ok(database_as_text($node, 'shop') eq $before, 'and equal');

$node->stop;
done_testing();
