# A backup of a database with TimescaleDB: the two calls that its manual asks for come at their moments. The
# extension is not the real one (test/fixtures/timescaledb): it writes down when it is called.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('timescaledb');
plan skip_all => 'the test extension timescaledb is not installed (scripts/test does that, as root)'
  if $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extension_versions WHERE name = 'timescaledb' AND comment ~ 'for a test'}) eq '0';

foreach my $schema ('public', 'ts')
{
	my $database = "sensors_$schema";
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, qq{
		CREATE SCHEMA IF NOT EXISTS ts;
		CREATE EXTENSION timescaledb WITH SCHEMA $schema;
		CREATE TABLE readings (id int PRIMARY KEY CHECK ($schema.noted(id)), value real);
		INSERT INTO readings SELECT i, i FROM generate_series(1, 100) i;
		CREATE INDEX ON readings (value);
		CREATE FUNCTION no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION 'no % here', tg_tag; END \$\$;
		CREATE EVENT TRIGGER never ON ddl_command_start EXECUTE FUNCTION no_ddl();
		ALTER EVENT TRIGGER never ENABLE ALWAYS});
	foreach my $format ('custom', 'parallel', 'plain')
	{
		my $title = "in schema $schema, $format";
		my $backup = start_backup($node, "'$database', format => '$format'");
		is(finished($node, $backup), 'completed', "$title: a backup");
		my $restore = start_restore($node, "$backup, 'back_$format'");
		is(finished($node, $restore), 'completed', "$title: is restored") or diag(explain(row_of($node, $restore, 'restores')));
		my @calls = split /\n/, $node->safe_psql("back_$format", "SELECT what, rows, indexes FROM $schema.calls ORDER BY n");
		is_deeply([ map { /^([^|]*)/ } @calls ], [ 'pre_restore', 'a row, restoring on', 'post_restore' ], "$title: each call once, in order");
		like($calls[0], qr/\|\|0$/, "$title: the first when there is no table yet");
		like($calls[2], qr/\|100\|2$/, "$title: the last when rows and indexes are there");
		is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_db_role_setting WHERE setconfig::text ~ 'timescaledb'}), 0,
			"$title: no setting stays");
		ok(database_as_text($node, "back_$format") eq database_as_text($node, $database), "$title: and nothing of the restore");
		$node->safe_psql('postgres', "DROP DATABASE back_$format");
	}
}

$node->stop;
done_testing();
