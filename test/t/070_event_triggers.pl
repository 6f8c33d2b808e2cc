# Event triggers of a database see nothing of a restore or a verification that they would not have seen in the
# database that was dumped: one that writes down every command has its rows of then, and one that forbids them
# all is in nobody's way.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('event_triggers', 'pgbackup.split_table_size' => '100kB', 'pgbackup.safety_backup' => 'off',
	log_statement => 'ddl');
my @server = ('--storage', 'file://' . $node->basedir . '/store', '-h', $node->host, '-p', $node->port);

sub value { return $node->safe_psql('postgres', $_[0]) }

sub completes
{
	my ($run, $what) = @_;
	is(finished($node, $run), 'completed', $what) or diag(explain(row_of($node, $run, 'restores')));
	return;
}

sub drop_with_subscription
{
	my ($database) = @_;
	my $disable = $node->safe_psql($database, q{SELECT string_agg(format('ALTER EVENT TRIGGER %I DISABLE', evtname), ';') FROM pg_event_trigger});
	$node->safe_psql($database, "$disable; DROP SUBSCRIPTION s");
	value("DROP DATABASE $database");
	return;
}

my $things = q{
	CREATE TABLE item (id serial PRIMARY KEY, t text, pad text);
	INSERT INTO item (t, pad) SELECT md5(g::text), repeat('p', 300) FROM generate_series(1, 2000) g;
	CREATE INDEX ON item (t);
	ALTER TABLE item ADD CHECK (t <> '');
	CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM item;
	CREATE VIEW short AS SELECT id, t FROM item;
	CREATE PUBLICATION p FOR TABLE item;
	CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE, enabled = false);
	GRANT SELECT ON item TO PUBLIC};
# Triggers that are always enabled, which no session_replication_role turns off.
my %triggers = (
	audit => q{
		CREATE TABLE ddl_log (tag text, what text);
		CREATE FUNCTION public.note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
		BEGIN INSERT INTO public.ddl_log VALUES (tg_tag, tg_event); END $$;
		CREATE EVENT TRIGGER note_begin ON ddl_command_start EXECUTE FUNCTION public.note_ddl();
		CREATE EVENT TRIGGER note_end ON ddl_command_end EXECUTE FUNCTION public.note_ddl();
		CREATE EVENT TRIGGER "note ""drop" ON sql_drop EXECUTE FUNCTION public.note_ddl();
		ALTER EVENT TRIGGER note_end ENABLE ALWAYS;
		COMMENT ON EVENT TRIGGER note_end IS 'what was done';
		CREATE TABLE after_that (a int)},
	forbid => q{
		CREATE FUNCTION public.no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION 'no % here', tg_tag; END $$;
		CREATE EVENT TRIGGER never ON ddl_command_start EXECUTE FUNCTION public.no_ddl();
		ALTER EVENT TRIGGER never ENABLE ALWAYS});

for my $source (sort keys %triggers)
{
	value("CREATE DATABASE $source");
	$node->safe_psql($source, "$things;$triggers{$source}");
	my $text = database_as_text($node, $source);
	my $enabled = q{SELECT evtname, evtenabled FROM pg_event_trigger ORDER BY 1};
	my $before = $node->safe_psql($source, $enabled);
	my $is_equal = sub {
		my ($database, $what) = @_;
		ok(database_as_text($node, $database) eq $text, "$what: the database is equal")
		  or diag($source eq 'audit' ? $node->safe_psql($database, 'SELECT * FROM ddl_log') : '');
		is($node->safe_psql($database, $enabled), $before, "$what: with its event triggers");
	};
	for my $format ('custom', 'parallel', 'plain')
	{
		my $title = "$source, $format";
		my $id = start_backup($node, "'$source', format => '$format'");
		is(finished($node, $id), 'completed', "$title: a backup") or diag(explain(row_of($node, $id)));

		completes($node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')"), "$title: verified");
		completes(start_restore($node, "$id, 'restored'"), "$title: restored");
		$is_equal->('restored', $title);
		drop_with_subscription('restored');
		completes(start_restore($node, "$id, '$source', replace => true"), "$title: replaced");
		$is_equal->($source, "$title, replaced");

		my ($status, $out, $err) = pgbackup($node, 'restore', $id, '--target-database', 'by_command', @server);
		is($status, 0, "$title: restored by the command line") or diag($err);
		$is_equal->('by_command', "$title, command line");
		drop_with_subscription('by_command');
		($status, $out, $err) = pgbackup($node, 'verify', $id, '--level', 'restore', @server);
		is($status, 0, "$title: verified by the command line") or diag($err);
	}
}
# The home database, whose rows are copied into the new one, which may show dates in another style.
$node->safe_psql('postgres', "$triggers{forbid}; ALTER DATABASE postgres SET DateStyle = 'SQL, DMY'");
my $home = start_backup($node, "'postgres'");
is(finished($node, $home), 'completed', 'a backup of the home database');
value(q{ALTER DATABASE postgres SET DateStyle = 'Postgres, MDY'});
my $replaced = start_restore($node, "$home, 'postgres', replace => true");
my $status = '';
wait_until(sub {
	$node->psql('postgres', "SELECT status FROM pgbackup.restores WHERE id = $replaced", stdout => \$status);
	return ($status // '') =~ /^(completed|failed)$/;
}, 'the home database to be replaced');
is($status, 'completed', 'the home database is replaced') or diag(explain(row_of($node, $replaced, 'restores')));
is(value(q{SHOW DateStyle}), 'SQL, DMY', 'by that of the backup');
is(value(q{SELECT evtname, evtenabled FROM pg_event_trigger}), 'never|A', 'with its event trigger');

is(value(q{SELECT count(*) FROM pg_database WHERE datname ~ '__restore_'}), 0, 'no database is left');
unlike(read_file($node->logfile), qr/pgbackup_restoring/, 'nothing was made that no backup has asked for');
done_testing();
