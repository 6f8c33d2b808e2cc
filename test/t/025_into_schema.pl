# into_schema: tables of a backup come back beside those in use, in a schema of their own, all of it or
# nothing of it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run qw(start finish);
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('into_schema');
my $psql = $node->config_data('--bindir') . '/psql';
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', q{
	CREATE ROLE seller;
	CREATE TYPE status AS ENUM ('new', 'paid', 'sent');
	CREATE TYPE old_status AS ENUM ('open', 'closed');
	CREATE TYPE span AS (since date, until date);
	CREATE TYPE band AS RANGE (SUBTYPE = numeric);
	CREATE DOMAIN amount AS numeric(10, 2) CHECK (VALUE >= 0);
	CREATE FUNCTION tax(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 0.19';
	CREATE FUNCTION gone(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
	CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE TABLE customers (id int PRIMARY KEY, name text);
	INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(1, 20) i;
	CREATE TABLE orders (
		id bigserial PRIMARY KEY,
		customer int REFERENCES customers,
		status status NOT NULL DEFAULT 'new',
		was old_status DEFAULT 'open',
		during span,
		price amount,
		bands band_multirange,
		tax numeric GENERATED ALWAYS AS (tax(price)) STORED,
		note text CHECK (note <> ''));
	ALTER TABLE orders OWNER TO seller;
	COMMENT ON TABLE orders IS 'what was ordered';
	CREATE INDEX orders_note ON orders (lower(note));
	CREATE INDEX orders_gone ON orders (gone(customer));
	CREATE TRIGGER changed AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note_change();
	CREATE TABLE lines (order_id bigint REFERENCES orders, line int GENERATED ALWAYS AS IDENTITY, what text, PRIMARY KEY (order_id, line));
	INSERT INTO orders (customer, status, price, bands, note, during)
	  SELECT 1 + i % 20, 'paid', i, band_multirange(band(i, i + 1)), md5(i::text), ROW(date '2025-01-01', date '2025-02-01')::span FROM generate_series(1, 2000) i;
	INSERT INTO lines (order_id, what) SELECT 1 + i % 2000, md5(i::text) FROM generate_series(1, 5000) i;
	CREATE VIEW unpaid AS SELECT * FROM orders WHERE status = 'new';
	CREATE SCHEMA archive;
	CREATE TABLE archive.orders (id bigint);
	CREATE TABLE archive.years (y int, n int) PARTITION BY LIST (y);
	CREATE TABLE archive.y2024 PARTITION OF archive.years FOR VALUES IN (2024);
	CREATE TABLE archive.y2025 PARTITION OF archive.years FOR VALUES IN (2025);
	CREATE INDEX ON archive.years (n);
	INSERT INTO archive.years SELECT 2024 + i % 2, i FROM generate_series(1, 100) i});
my %backup;
foreach my $format ('custom', 'parallel', 'plain')
{
	$backup{$format} = start_backup($node, "'shop', format => '$format'");
	is(finished($node, $backup{$format}), 'completed', "a $format backup");
}

# What the live schemas hold, without what the client counts.
sub live_tables
{
	my ($out, $err) = ('', '');
	IPC::Run::run([ $node->installed_command('pg_dump'), '--inserts', '-n', 'public', '-n', 'archive', '-T', 'public.ticks*',
			'-h', $node->host, '-p', $node->port, '-d', 'shop' ], '>', \$out, '2>', \$err)
	  or die "pg_dump failed: $err";
	return join "\n", sort grep { !/^\\(un)?restrict / } split /\n/, $out;
}

sub schemas
{
	my ($database) = @_;
	return $node->safe_psql($database // 'shop', q{SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_|^info'});
}

sub databases
{
	return $node->safe_psql('postgres', q{SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate});
}

sub recover
{
	my ($arguments, $title) = @_;
	my $id = start_restore($node, $arguments);
	is(finished($node, $id), 'completed', $title) or diag(explain(row_of($node, $id, 'restores')));
	return row_of($node, $id, 'restores');
}

sub fails
{
	my ($arguments, $pattern, $title) = @_;
	my $id = start_restore($node, $arguments);
	is(finished($node, $id), 'failed', "$title: it fails");
	my $row = row_of($node, $id, 'restores');
	like("$row->{message} $row->{detail} $row->{hint}", $pattern, "$title: and says why");
	is(schemas(), 'archive public', "$title: no schema has come");
	is(databases(), 'postgres shop', "$title: no database has come");
	return $row;
}

sub refuses
{
	my ($arguments, $pattern, $title) = @_;
	my ($code, undef, $err) = $node->psql('postgres', "SELECT pgbackup.restore($arguments)");
	isnt($code, 0, "$title: refused");
	like($err, $pattern, "$title: with the reason");
	like($err, qr/HINT/, "$title: and what to do");
	return;
}

# Bad input.
my $tables = q{tables => '{public.orders,public.lines}'};
refuses("$backup{custom}, 'shop', $tables, into_schema => 'x', replace => true", qr/exclude each other/, 'replace');
refuses("$backup{custom}, 'shop', into_schema => 'x'", qr/needs tables or schemas/, 'a whole database');
refuses("$backup{custom}, 'nowhere', $tables, into_schema => 'x'", qr/no database "nowhere"/, 'no such database');
refuses("$backup{custom}, 'template1', $tables, into_schema => 'x'", qr/cannot restore into/, 'a template');
refuses("$backup{custom}, 'shop', $tables, into_schema => '$_'", qr/invalid into_schema/, "schema '$_'")
  foreach '', 'pg_mine', 'information_schema', 'pgbackup', 'x' x 64;
fails("$backup{custom}, 'shop', $tables, into_schema => 'public'", qr/schema "public" of database "shop" is not empty.*It holds /, 'a schema in use');
fails("$backup{custom}, 'shop', tables => '{public.orders,archive.orders}', into_schema => 'x'",
	qr/"orders" is in schema "(archive|public)" and in schema "(archive|public)"/, 'two tables of one name');
fails("$backup{custom}, 'shop', tables => '{public.nothing}', into_schema => 'x'", qr/public.*nothing.* is not in the backup/, 'no such table');
fails("$backup{plain}, 'shop', $tables, into_schema => 'x'", qr/plain/, 'a plain backup');

# A dry run tells, and makes nothing.
like(recover("$backup{custom}, 'shop', $tables, into_schema => 'recovered', dry_run => true", 'a dry run')->{detail},
	qr/Schema "recovered" would be filled in database "shop"/, 'says where the tables would go');
is(schemas(), 'archive public', 'and nothing has come');

# The accident: rows are deleted, definitions have moved on, and the application works on.
$node->safe_psql('shop', q{
	DROP INDEX orders_gone;
	DROP FUNCTION gone;
	ALTER TYPE status ADD VALUE 'returned';
	ALTER TYPE old_status RENAME VALUE 'open' TO 'opened';
	DELETE FROM lines WHERE order_id BETWEEN 500 AND 999;
	DELETE FROM orders WHERE id BETWEEN 500 AND 999;
	CREATE TABLE ticks (n serial)});
my $live = live_tables();
my $stop = $node->basedir . '/stop';
my $script = $node->basedir . '/client';
PostgreSQL::Test::Utils::append_to_file($script, <<"SCRIPT");
#!/bin/bash
# One session that uses the live tables until told to stop; its exit status says whether all went well.
while [ ! -e "$stop" ] && kill -0 \$PPID 2>/dev/null; do
	echo "BEGIN; SELECT count(*) FROM public.orders; UPDATE public.orders SET customer = customer WHERE id = 7; INSERT INTO public.ticks DEFAULT VALUES; COMMIT;"
	read -r -t 0.02 <> <(:)
done | "$psql" -XqAt -v ON_ERROR_STOP=1 -d shop >/dev/null
SCRIPT
chmod 0755, $script;
local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
foreach my $format ('custom', 'parallel')
{
	unlink $stop;
	my $client = start([$script]);
	$node->poll_query_until('shop', 'SELECT count(*) > 0 FROM ticks') or die;
	my $row = recover("$backup{$format}, 'shop', $tables, into_schema => 'recovered'", "$format: tables come beside the live ones");
	my $ticks = $node->safe_psql('shop', 'SELECT count(*) FROM ticks');
	$node->poll_query_until('shop', "SELECT count(*) > $ticks FROM ticks") or die;
	PostgreSQL::Test::Utils::append_to_file($stop, '');
	ok(finish($client), "$format: whoever used the live tables noticed nothing");
	like($row->{message}, qr/1 foreign keys .* left out: orders orders_customer_fkey/, "$format: the foreign key that was left out is named");
	is($row->{kept_database}, '', "$format: no database is kept");
	is(databases(), 'postgres shop', "$format: no database is left beside it");
	is($node->safe_psql('shop', q{SELECT string_agg(format('%s%s', relkind, relname), ' ' ORDER BY relname COLLATE "C")
		FROM pg_class WHERE relnamespace = 'recovered'::regnamespace}),
		'rlines Slines_line_seq ilines_pkey rorders iorders_gone Sorders_id_seq iorders_note iorders_pkey',
		"$format: the schema holds the tables with what is theirs");
	is($node->safe_psql('shop', 'SELECT count(*), count(tax), max(id) FROM recovered.orders'), '2000|2000|2000', "$format: all rows");
	is($node->safe_psql('shop', q{SELECT string_agg(format('%s.%s', nspname, typname), ' ' ORDER BY nspname, typname)
		FROM pg_attribute JOIN pg_type t ON t.oid = atttypid JOIN pg_namespace n ON n.oid = typnamespace
		WHERE attrelid = 'recovered.orders'::regclass AND atttypid >= 16384}),
		'public.amount public.band_multirange public.span public.status recovered.old_status', "$format: types that are the same are those of the live table");
	is($node->safe_psql('shop', q{SELECT string_agg(proname, ' ') FROM pg_proc WHERE pronamespace = 'recovered'::regnamespace}), 'gone',
		"$format: a function that is gone comes along");
	is($node->safe_psql('shop', q{SELECT pg_get_userbyid(relowner) || obj_description(oid) FROM pg_class WHERE oid = 'recovered.orders'::regclass}),
		'sellerwhat was ordered', "$format: with owner and comment");
	is($node->safe_psql('shop', q{SELECT confrelid::regclass FROM pg_constraint WHERE conrelid = 'recovered.lines'::regclass AND contype = 'f'}),
		'recovered.orders', "$format: a foreign key between the tables stays between them");
	ok(live_tables() eq $live, "$format: the live tables are as they were");
	$node->safe_psql('shop', 'DROP SCHEMA recovered CASCADE') if $format eq 'custom';
}

# What was deleted goes back.
my $columns = 'id, customer, status, during, price, bands, note';
is($node->safe_psql('shop', qq{
	WITH back AS (INSERT INTO public.orders ($columns) SELECT $columns FROM recovered.orders r
		 WHERE NOT EXISTS (SELECT FROM public.orders o WHERE o.id = r.id) RETURNING 1) SELECT count(*) FROM back}),
	500, 'the deleted rows are copied back by INSERT … SELECT');
is($node->safe_psql('shop', q{
	INSERT INTO public.lines OVERRIDING SYSTEM VALUE SELECT * FROM recovered.lines ON CONFLICT DO NOTHING;
	SELECT count(*) FROM public.lines}), 5000, 'and so are those that refer to them');
$node->safe_psql('shop', 'DROP SCHEMA recovered CASCADE');

# A whole schema, into one that is there and empty.
$node->safe_psql('shop', 'CREATE SCHEMA waiting AUTHORIZATION seller');
recover("$backup{parallel}, 'shop', schemas => '{archive}', into_schema => 'waiting'", 'a schema goes into an empty one');
is($node->safe_psql('shop', 'SELECT count(*), count(DISTINCT tableoid) FROM waiting.years'), '100|2', 'with its partitions');
is($node->safe_psql('shop', q{SELECT count(*) FROM pg_inherits WHERE inhparent = 'waiting.years_n_idx'::regclass}), 2, 'whose indexes are attached');
is($node->safe_psql('shop', q{SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'waiting'}), 'seller', 'the schema itself is as it was');
$node->safe_psql('shop', 'DROP SCHEMA waiting CASCADE');

# A view brings what it needs; a name that needs quotes.
recover("$backup{custom}, 'shop', tables => '{public.unpaid}', into_schema => 'Über \"all\"'", 'a view');
is($node->safe_psql('shop', 'SELECT count(*) FROM "Über ""all""".orders'), 2000, 'comes with its table, into a schema with an odd name');
$node->safe_psql('shop', 'DROP SCHEMA "Über ""all""" CASCADE');

# The same name as in the backup, for a schema that was dropped.
$node->safe_psql('shop', 'ALTER SCHEMA archive RENAME TO kept_archive');
recover("$backup{custom}, 'shop', schemas => '{archive}', into_schema => 'archive'", 'a schema that is gone comes back under its name');
is($node->safe_psql('shop', 'SELECT count(*) FROM archive.years'), 100, 'with its rows');
$node->safe_psql('shop', 'DROP SCHEMA archive CASCADE; ALTER SCHEMA kept_archive RENAME TO archive');

# Into the home database, which has none of the types.
recover("$backup{parallel}, 'postgres', $tables, into_schema => 'from_shop'", 'the home database');
is($node->safe_psql('postgres', 'SELECT count(*), count(tax), count(bands) FROM from_shop.orders'), '2000|2000|2000', 'gets the tables, too');
is($node->safe_psql('postgres', q{SELECT string_agg(typname, ' ' ORDER BY typname COLLATE "C") FROM pg_type
	WHERE typnamespace = 'from_shop'::regnamespace AND typrelid = 0 AND typelem = 0}), 'amount band band_multirange old_status status',
	'with all types they need');
is(schemas('postgres'), 'from_shop pgbackup public', 'and nothing else');

# All or nothing.
$node->safe_psql('shop', q{
	CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
		IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity ~ 'orders_note') THEN RAISE 'not here'; END IF; END $$;
	CREATE EVENT TRIGGER refusing ON ddl_command_end EXECUTE FUNCTION refuse()});
like(fails("$backup{custom}, 'shop', $tables, into_schema => 'recovered'", qr/a function of the database raised this error/, 'an index the target refuses')->{message},
	qr/^pg_restore of schema "recovered" exited with status 1: .*a function of the database raised this error/, 'without what a function says');
$node->safe_psql('shop', 'DROP EVENT TRIGGER refusing; DROP FUNCTION refuse');
SKIP:
{
	skip 'the extension hstore is not available', 5
	  if $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'hstore'}) eq '0';
	$node->safe_psql('shop', q{CREATE EXTENSION hstore; CREATE TABLE bags AS SELECT 'a=>1'::hstore AS bag});
	my $id = start_backup($node, q{'shop'});
	is(finished($node, $id), 'completed', 'a backup with an extension');
	$node->safe_psql('shop', 'DROP TABLE bags; DROP EXTENSION hstore');
	fails("$id, 'shop', tables => '{public.bags}', into_schema => 'x'", qr/extension "hstore" is missing in database "shop".*CREATE EXTENSION/,
		'a missing extension');
}

$node->stop;
done_testing();
