# Restores by a role that can create databases and nothing else, and backups by one that can read everything
# and nothing else. On the command line a superuser is warned of whose code he is about to run.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('least_privilege', 'pgbackup.split_table_size' => 1024);
my $store = $node->basedir . '/store';
my @server = ('--storage', "file://$store", '-h', $node->host, '-p', $node->port);

sub value { return $node->safe_psql('postgres', $_[0]) }

value('CREATE ROLE app LOGIN CREATEDB');
value('CREATE ROLE reader');
value('CREATE DATABASE shop OWNER app');
$node->safe_psql('shop', q{
	CREATE EXTENSION IF NOT EXISTS btree_gin;
	COMMENT ON EXTENSION btree_gin IS 'indexes'}) if -e $node->config_data('--sharedir') . '/extension/btree_gin.control';
$node->safe_psql('shop', q{
	CREATE SCHEMA sales;
	CREATE DOMAIN sales.price AS numeric CHECK (VALUE >= 0);
	CREATE TYPE sales.kind AS ENUM ('book', 'tool');
	CREATE TABLE sales.items (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind sales.kind, price sales.price, note text);
	INSERT INTO sales.items (kind, price, note) SELECT 'book', i, repeat(md5(i::text), 10) FROM generate_series(1, 5000) i;
	CREATE TABLE sales.orders (id int, item int REFERENCES sales.items, placed date) PARTITION BY RANGE (placed);
	CREATE TABLE sales.orders_2025 PARTITION OF sales.orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
	INSERT INTO sales.orders SELECT i, i, '2025-06-01' FROM generate_series(1, 100) i;
	CREATE FUNCTION sales.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
	CREATE TRIGGER note BEFORE INSERT ON sales.items FOR EACH ROW EXECUTE FUNCTION sales.note();
	CREATE VIEW sales.cheap AS SELECT * FROM sales.items WHERE price < 10;
	CREATE MATERIALIZED VIEW sales.counted AS SELECT count(*) FROM sales.items;
	CREATE INDEX ON sales.items (note);
	GRANT USAGE ON SCHEMA sales TO reader;
	GRANT SELECT ON ALL TABLES IN SCHEMA sales TO reader;
	ALTER DATABASE shop SET work_mem = '7MB';
	GRANT CONNECT ON DATABASE shop TO reader;
	COMMENT ON DATABASE shop IS 'where the goods are';
	ALTER DATABASE shop CONNECTION LIMIT 5}, extra_params => [ '-U', 'app' ]);
my $source = database_as_text($node, 'shop');
my $properties_sql = q{SELECT format('%s %s %s %s', datconnlimit, pg_get_userbyid(datdba),
	  (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(datacl) a), shobj_description(d.oid, 'pg_database'))
	  || (SELECT setconfig::text FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = };
sub properties_of { return value("$properties_sql'$_[0]'") }

# Restores by the role, which is the owner of all that is in the backup.
my %backup;
foreach my $format ('custom', 'parallel', 'plain')
{
	my $id = $backup{$format} = start_backup($node, "'shop', format => '$format'");
	is(finished($node, $id), 'completed', "a $format backup");
	my ($status, $out, $err) = pgbackup($node, 'restore', $id, '--target-database', 'mine', '-U', 'app', @server);
	is($status, 0, "$format: a role with CREATEDB restores it") or diag($err);
	unlike($err, qr/superuser/, "$format: which no one has to be warned of");
	unlike($out, qr/left out/, "$format: nothing is left out");
	ok(database_as_text($node, 'mine') eq $source, "$format: the database is equal");
	is(properties_of('mine'), properties_of('shop'), "$format: with all that belongs to it");
	value('DROP DATABASE mine');
	($status, $out, $err) = pgbackup($node, 'verify', $id, '--level', 'restore', '-U', 'app', @server);
	is($status, 0, "$format: and proves it") or diag($err);
	unlike($err, qr/superuser/, "$format: without a warning");
}
is(value('SELECT count(*) FROM pg_database WHERE datname ~ $$__restore_$$'), 0, 'no database is left');

# Of what belongs to another role, the database can do without.
value('ALTER DATABASE shop OWNER TO CURRENT_USER');
my $other = start_backup($node, q{'shop', format => 'custom'});
is(finished($node, $other), 'completed', 'a backup of a database of another role');
my ($status, $out, $err) = pgbackup($node, 'restore', $other, '--target-database', 'mine', '-U', 'app', @server);
is($status, 0, 'it is restored, too') or diag($err);
like($out, qr/left out for lack of the right: ALTER DATABASE "mine" OWNER TO/, 'but for its owner') or diag($err);
is(value("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'mine'"), 'app', 'which is the role');
ok(database_as_text($node, 'mine') eq $source, 'with everything in it');
value('DROP DATABASE mine');
$node->safe_psql('shop', 'ALTER TABLE sales.orders_2025 OWNER TO CURRENT_USER');
my $mixed = start_backup($node, q{'shop', format => 'custom'});
is(finished($node, $mixed), 'completed', 'a backup of a database with a table of another role');
($status, $out, $err) = pgbackup($node, 'restore', $mixed, '--target-database', 'mine', '-U', 'app', @server);
is($status, 1, 'is not for this role to restore');
like($err, qr/must be (member of role|able to SET ROLE)/, 'and says why');
is(value('SELECT count(*) FROM pg_database WHERE datname ~ $$^mine$$'), 0, 'no database is left');
$node->safe_psql('shop', 'ALTER TABLE sales.orders_2025 OWNER TO app');
value('ALTER DATABASE shop OWNER TO app');

# A superuser restores what others have written.
foreach my $command ([ 'restore', $backup{custom}, '--target-database', 'super' ], [ 'verify', $backup{custom}, '--level', 'restore' ])
{
	my $what = $command->[0];
	($status, $out, $err) = pgbackup($node, @$command, @server);
	is($status, 0, "$what by a superuser") or diag($err);
	my $confined = $node->psql('postgres', q{SELECT 1 / count(*) FROM pg_settings WHERE name = 'pgbackup.confined' AND context = 'backend'}) == 0;
	if ($confined)
	{
		unlike($err, qr/superuser rights/, 'is confined by the server');
	}
	else
	{
		like($err, qr/warning: functions and CHECK constraints in the backup are evaluated with superuser rights/, 'is warned of');
		like($err, qr/hint: Restore only backups whose database owners you trust/, 'with what to do');
	}
	value('DROP DATABASE IF EXISTS super');
	($status, $out, $err) = pgbackup($node, @$command, @server, '--quiet');
	is("$status$err", '0', 'not when it is to be quiet');
	value('DROP DATABASE IF EXISTS super');
}
($status, $out, $err) = pgbackup($node, 'verify', $backup{custom}, @server);
unlike($err, qr/superuser/, 'nor when nothing is restored');

# Backups by a role that reads everything.
value('CREATE ROLE dumper LOGIN IN ROLE pg_read_all_data');
restart_settings($node, 'pgbackup.dump_conninfo' => 'user=dumper');
my %read;
foreach my $format ('custom', 'parallel', 'plain')
{
	my $id = $read{$format} = start_backup($node, "'shop', format => '$format'");
	is(finished($node, $id), 'completed', "$format: a backup by a member of pg_read_all_data") or diag(explain(row_of($node, $id)));
}
restart_settings($node, 'pgbackup.dump_conninfo' => '');
foreach my $format (sort keys %read)
{
	my $restore = start_restore($node, "$read{$format}, 'again'");
	is(finished($node, $restore), 'completed', "$format: it is restored") or diag(explain(row_of($node, $restore, 'restores')));
	ok(database_as_text($node, 'again') eq $source, "$format: the database is equal");
	is(properties_of('again'), properties_of('shop'), "$format: with all that belongs to it");
	value('DROP DATABASE again');
}

# What such a role cannot read fails the backup, and does not go missing from it.
$node->safe_psql('shop', q{ALTER TABLE sales.items ENABLE ROW LEVEL SECURITY});
restart_settings($node, 'pgbackup.dump_conninfo' => 'user=dumper');
fails_with($node, q{'shop', format => 'custom'}, qr/row-level security/, 'row level security');
value('ALTER ROLE dumper BYPASSRLS');
my $bypassing = start_backup($node, q{'shop', format => 'custom'});
is(finished($node, $bypassing), 'completed', 'with BYPASSRLS it can');
$node->safe_psql('shop', q{SELECT lo_from_bytea(4711, 'a large object')});
fails_with($node, q{'shop', format => 'custom'}, qr/permission denied for large object/, 'a large object');
$node->safe_psql('shop', q{GRANT SELECT ON LARGE OBJECT 4711 TO dumper});
$bypassing = start_backup($node, q{'shop', format => 'custom'});
is(finished($node, $bypassing), 'completed', 'with a grant it can');
done_testing();
