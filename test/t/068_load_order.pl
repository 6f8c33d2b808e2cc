# What calls code of the database while rows are loaded or indexes are built may read other tables: a restore
# gives what pg_restore gives of one archive, in every format, from older backups, too; and a verification
# notices an index or a generated column that is not what it was.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use LanedBackup;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('order', 'pgbackup.split_table_size' => '1MB', 'pgbackup.jobs' => 4);
my $store = $node->basedir . '/store';

# By index and by scan.
my @lookups = (
	'SELECT count(*) FROM b_built WHERE (## id) BETWEEN 1 AND 3000',
	'SELECT count(*) FROM b_built WHERE id = 77',
	'SELECT count(*) FROM b_built WHERE (id::z_domain)::int BETWEEN 5 AND 50',
	'SELECT count(*) FROM b_built WHERE (p::int) BETWEEN 1 AND 3000',
	'SELECT count(*) FROM b_built WHERE pad > $$$$ AND z_has(id) AND id < 100',
	q{SELECT count(*) FROM b_built WHERE z_span(id) && '[100,200]'},
	q{SELECT count(*) FROM b_apart WHERE z_span(id) && '[100,200]'},
	'SELECT count(*) FROM b_built WHERE pad = md5($$x$$) OR id > 0');
my @sums = (
	'SELECT count(*), sum(of_id), sum(of_kind) FROM b_generated',
	'SELECT count(*), sum(id), sum(other) FROM b_checked',
	'SELECT count(*), sum(id), sum(several[2]), sum((nested).n) FROM b_domain',
	'SELECT tableoid::regclass, count(*), sum(id) FROM b_parted GROUP BY 1 ORDER BY 3',
	'SELECT count(*) FROM b_by_text',
	'SELECT last_value, (SELECT count(*) FROM b_counted) FROM counter',
	'SELECT count(*), sum(of_id) FROM c_small',
	qq{SELECT count(*), sum("c ,") FROM "rather odd ""'\n\\s"."t "".x"},
	'SELECT * FROM m_first ORDER BY k',
	'SELECT total, rows FROM m_second, m_third',
	'SELECT count(*) FROM pg_index WHERE NOT indisvalid');

sub answers
{
	my ($database) = @_;
	my $answers = '';
	for my $query (@lookups)
	{
		my $by_index = $node->safe_psql($database, "SET enable_seqscan = off; $query");
		my $by_scan = $node->safe_psql($database, "SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; $query");
		is($by_index, $by_scan, "$database: an index and a scan agree, $query");
		$answers .= "$by_scan\n";
	}
	return $answers . join "\n", map { $node->safe_psql($database, $_) } @sums;
}

sub restores
{
	my ($id, $arguments, $title, $source, $answers) = @_;
	my $restore = start_restore($node, "$id, 'back'$arguments");
	is(finished($node, $restore), 'completed', "$title: restored") or diag(explain(row_of($node, $restore, 'restores')));
	is(answers('back'), $answers, "$title: answers are those of the source");
	my ($code, $out, $err) = $node->psql('back', q{INSERT INTO b_apart SELECT id, pad FROM b_apart WHERE id = 7});
	like($err, qr/conflicting key value violates exclusion constraint "apart"/, "$title: the exclusion constraint holds");
	ok(database_as_text($node, 'back') eq $source, "$title: equal");
	$node->safe_psql('postgres', 'DROP DATABASE back');
	return;
}

sub verified
{
	my ($id) = @_;
	my $run = $node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')");
	finished($node, $run);
	return row_of($node, $run, 'restores');
}

$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('source'), '-f', fixture('fixtures/load_order.sql') ], 'the fixture loads');
my $source = database_as_text($node, 'source');
my $answers = answers('source');

# What PostgreSQL's own programs give.
$node->safe_psql('postgres', 'CREATE DATABASE stock');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $node->basedir . '/stock.dump', '-d', $node->connstr('source') ], 'pg_dump');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('stock'), $node->basedir . '/stock.dump' ], 'and pg_restore');
is(answers('stock'), $answers, 'give the answers of the source');
ok(database_as_text($node, 'stock') eq $source, 'equal');

my %backup;
for my $format (qw(custom plain parallel))
{
	my $id = $backup{$format} = start_backup($node, "'source', format => '$format'");
	is(finished($node, $id), 'completed', "a backup in format $format") or diag(explain(row_of($node, $id)));
	restores($id, '', $format, $source, $answers);
	next if $format eq 'plain';
	my $run = verified($id);
	is($run->{status}, 'completed', "$format: proved by restoring it") or diag(explain($run));
}
restores($backup{parallel}, ', jobs => 1', 'on one lane', $source, $answers);

# The manifest tells, by OID, and nothing of what is built in.
my $folder = "$store/" . row_of($node, $backup{parallel})->{file_name};
my $manifest = read_manifest($folder);
sub names
{
	my ($oids, $type) = @_;
	return $node->safe_psql('source', sprintf q{SELECT string_agg(o::oid::%s::text, ' ' ORDER BY o::oid::%s::text) FROM unnest('{%s}'::text[]) o},
		$type, $type, join(',', @$oids));
}
is(names($manifest->{user_code}{tables}, 'regclass'),
	join(' ', sort '"rather odd ""\'' . "\n" . '\s"."t "".x"', qw(b_by_text b_checked b_counted b_domain b_generated b_parted_high b_parted_low c_small)), 'tables that call code');
is(names($manifest->{user_code}{indexes}, 'regclass'), 'apart built_cast built_class built_domain built_gist built_operator built_predicate', 'indexes that do');
is(names($manifest->{user_code}{materialized_views}, 'regclass'), 'm_first m_second', 'materialized views that do');
cmp_ok(scalar(grep { ($_->{tables}[0]{name} // '') eq 'b_generated' } @{ $manifest->{objects} }), '>', 1, 'a table that does is in several ranges');
is(scalar @{ $manifest->{fingerprints}{generated} }, 3, 'fingerprints of three tables cover generated columns');

# Every way to code that is not built in, and what only looks like it.
SKIP:
{
	skip 'without the extensions', 6
	  if $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name IN ('citext', 'pg_trgm', 'btree_gist', 'hstore', 'earthdistance')}) < 5;
	$node->safe_psql('postgres', 'CREATE DATABASE kinds');
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('kinds'), '-f', fixture('fixtures/user_code.sql') ], 'the fixture of code loads');
	my $id = start_backup($node, q{'kinds', format => 'parallel'});
	is(finished($node, $id), 'completed', 'a backup of it');
	my $code = read_manifest("$store/" . row_of($node, $id)->{file_name})->{user_code};
	for my $case ([ 'tables', "relkind IN ('r', 'p') AND relname ~ '^t_'" ], [ 'extension_tables', 'false' ],
		[ 'indexes', "relkind = 'i' AND relname ~ '^i_'" ], [ 'materialized_views', "relkind = 'm' AND relname ~ '^m_'" ])
	{
		my ($key, $condition) = @$case;
		is(join(' ', sort map { $node->safe_psql('kinds', "SELECT $_\::regclass") } @{ $code->{$key} }),
			join(' ', sort split /\n/, $node->safe_psql('kinds', "SELECT oid::regclass FROM pg_class WHERE $condition")), "user_code.$key");
	}
}

# A part of it.
my $part = start_restore($node, "$backup{parallel}, 'back', tables => '{public.a_look,public.b_checked,public.b_domain}'");
is(finished($node, $part), 'completed', 'a part is restored') or diag(explain(row_of($node, $part, 'restores')));
is($node->safe_psql('back', $_), $node->safe_psql('source', $_), 'and gives the same') for @sums[1, 2];
$node->safe_psql('postgres', 'DROP DATABASE back');

# A generated column that differs.
my $changed = read_manifest($folder);
$_->{hash} =~ tr/0-9a-f/1-9a-f0/ for grep { $_->{name} eq 'c_small' } @{ $changed->{fingerprints}{generated} };
write_manifest($node, $backup{parallel}, $folder, $changed);
my $run = verified($backup{parallel});
is($run->{status}, 'failed', 'a generated column with other values fails the proof');
like($run->{message}, qr/generated columns have other values than in the backed up database: "public"\."c_small"/, 'the table is named');

# A backup of an older pgbackup has neither.
delete $changed->{user_code};
delete $changed->{fingerprints}{generated};
write_manifest($node, $backup{parallel}, $folder, $changed);
restores($backup{parallel}, '', 'an older backup', $source, $answers);
is(verified($backup{parallel})->{status}, 'completed', 'which can be proved, too');
my $custom_folder = "$store/" . row_of($node, $backup{custom})->{file_name};
my $older = read_manifest($custom_folder);
delete $older->{user_code};
write_manifest($node, $backup{custom}, $custom_folder, $older);
restores($backup{custom}, '', 'an older backup in format custom', $source, $answers);

# All of it belongs to a role without rights: it is evaluated as that role.
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN; CREATE DATABASE owned OWNER owner');
$node->safe_psql('owned', q{
	GRANT CREATE ON SCHEMA public TO owner;
	SET ROLE owner;
	CREATE TABLE a_look (v int);
	INSERT INTO a_look VALUES (42);
	CREATE FUNCTION look(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
		IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN RAISE 'as a superuser'; END IF;
		RETURN (SELECT v + i FROM public.a_look); END $$;
	CREATE TABLE b_large (id int CHECK (look(id) > 0), of_id int GENERATED ALWAYS AS (look(id)) STORED, pad text,
		EXCLUDE USING gist (int4range(look(id), look(id) + 1) WITH &&));
	INSERT INTO b_large (id, pad) SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 3000) i;
	CREATE DOMAIN sly AS int CHECK (query_to_xml(CASE has_function_privilege('pg_create_restore_point(text)', 'execute')
		WHEN true THEN 'SELECT pg_create_restore_point($$got_in$$)' ELSE 'SELECT 1' END, true, true, '') IS NOT NULL);
	CREATE INDEX sly_index ON b_large USING gist (int4range(id::sly, id::sly + 1))});
my $owned = start_backup($node, q{'owned', format => 'parallel'});
is(finished($node, $owned), 'completed', 'a backup of what a role without rights owns');
$run = verified($owned);
is($run->{status}, 'completed', 'is proved without giving it any') or diag(explain($run));
unlike(read_file($node->logfile), qr/restore point "got_in" created/, 'also not to a domain within an index');

# A function that gives something else in every session: nothing is found by its index.
$node->safe_psql('postgres', 'CREATE DATABASE lying');
$node->safe_psql('lying', q{
	CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) i;
	CREATE FUNCTION lie(i int) RETURNS int4range LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
		RETURN int4range(10 * i + pg_catalog.pg_backend_pid() % 20000 * 100000, 10 * i + 1 + pg_catalog.pg_backend_pid() % 20000 * 100000); END $$;
	CREATE INDEX lies ON t USING gist (lie(i))});
my $lying = start_backup($node, q{'lying', format => 'parallel'});
is(finished($node, $lying), 'completed', 'a backup of an index whose function lies');
$run = verified($lying);
is($run->{status}, 'failed', 'cannot be proved');
like($run->{message}, qr/index public\.lies of the restored database does not find rows/, 'the index is named');

# A BRIN index of rows in random order: what is looked up in it takes the whole table, which is not read for each of
# hundreds of rows.
$node->safe_psql('postgres', 'CREATE DATABASE ranges');
$node->safe_psql('ranges', q{
	CREATE FUNCTION heard(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE LOG 'heard of a row'; RETURN i; END $$;
	CREATE TABLE t AS SELECT i FROM generate_series(1, 500) i ORDER BY md5(i::text);
	CREATE INDEX ranges ON t USING brin (heard(i))});
my $ranges = start_backup($node, q{'ranges', format => 'parallel'});
is(finished($node, $ranges), 'completed', 'a backup of a BRIN index that calls code');
my $heard_before = () = read_file($node->logfile) =~ /heard of a row/g;
$run = verified($ranges);
is($run->{status}, 'completed', 'is proved') or diag(explain($run));
my $heard = () = read_file($node->logfile) =~ /heard of a row/g;
cmp_ok($heard - $heard_before, '<', 10_000, 'by looking few rows up in it');

$node->stop;
done_testing();
