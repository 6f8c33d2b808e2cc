# Parts of a backup come with what they need, and nothing else: constraints whose indexes use extensions
# and own operator classes, casts that no catalog ties to what uses them, grants on what is in an
# extension, what only the text of a function names, and so on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('parts', 'pgbackup.parallel_threshold' => '0', 'pgbackup.safety_backup' => 'off');
$node->safe_psql('postgres', 'CREATE ROLE passer; CREATE ROLE reader; CREATE DATABASE source');
$node->safe_psql('source', read_file(fixture('fixtures/parts.sql')));

# Relations that are restored alone.
my @things = qw(gist.t opclass.t routine.t casts.t implicit.t grants.t domains.t collations.t operators.t operators.v
  aggregates.t search.t sequences.t generated.t partitions.t policies.t);
my %backup;
foreach my $format ('custom', 'parallel')
{
	$backup{$format} = start_backup($node, "'source', format => '$format'");
	is(finished($node, $backup{$format}), 'completed', "a $format backup");
}

# What pg_dump says of a part, with rows, without comments of its own.
sub dump_of
{
	my ($database, @what) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ $node->installed_command('pg_dump'), '--inserts', @what, '-h', $node->host, '-p', $node->port, '-d', $database ],
		'>', \$out, '2>', \$err)
	  or return "pg_dump @what failed: $err";
	return join "\n", sort grep { !/^(--|\\(un)?restrict |SET |SELECT pg_catalog.set_config|$)/ } split /\n/, $out;
}

sub restored
{
	my ($arguments, $title) = @_;
	my $id = start_restore($node, $arguments);
	is(finished($node, $id), 'completed', $title) or diag(explain(row_of($node, $id, 'restores')));
	return row_of($node, $id, 'restores');
}

sub fails
{
	my ($arguments, $error, $hint, $title) = @_;
	my $id = start_restore($node, $arguments);
	is(finished($node, $id), 'failed', "$title: it fails");
	my $row = row_of($node, $id, 'restores');
	like("$row->{message} $row->{detail}", $error, "$title: and says why");
	like($row->{hint}, $hint, "$title: and what to do");
	return;
}

# Schemas, without those of the server.
sub relations
{
	my ($database) = @_;
	return $node->safe_psql($database,
		q{SELECT string_agg(format('%s.%s', nspname, relname), ' ' ORDER BY 1) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		  WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND nspname !~ '^pg_|^information_schema'});
}

my %with = (
	'operators.v' => 'operators.t operators.v',
	'aggregates.t' => 'aggregates.base aggregates.t',
	'sequences.t' => 'sequences.other_id_seq sequences.t sequences.t_ident_seq sequences.t_own_seq');
foreach my $format ('custom', 'parallel')
{
	foreach my $thing (@things)
	{
		my ($schema, $name) = split /\./, $thing;
		my $title = "$format, $thing";
		restored("$backup{$format}, 'part', tables => '{$thing}'", "$title: restored alone");
		is(relations('part'), $with{$thing} // $thing, "$title: nothing else has come");
		my $expected = dump_of('source', '-t', $thing);
		# A partition that comes alone is a table.
		$expected =~ s/partitions\.parent VALUES/partitions.t VALUES/g;
		$expected = join "\n", grep { !/ATTACH PARTITION/ } split /\n/, $expected;
		is(dump_of('part', '-t', $thing), $expected, "$title: and is as it was");
		$node->safe_psql('postgres', 'DROP DATABASE part');

		restored("$backup{$format}, 'source', tables => '{$thing}', into_schema => 'recovered'", "$title: into a schema");
		my $there = dump_of('source', '-t', "recovered.$name");
		$there =~ s/\brecovered\./$schema./g;
		is($there, $expected, "$title: and is as it was");
		is($node->safe_psql('source', q{SELECT coalesce(string_agg(a::text, ' '), '') FROM pg_namespace, aclexplode(nspacl) a
			WHERE nspname = 'recovered' AND grantee <> nspowner}), '', "$title: nobody has got into the schema");
		$node->safe_psql('source', 'DROP SCHEMA recovered CASCADE');
		next if $name ne 't';

		restored("$backup{$format}, 'part', schemas => '{$schema}'", "$format, schema $schema: restored alone");
		is(dump_of('part', '-n', $schema), dump_of('source', '-n', $schema), "$format, schema $schema: and is as it was");
		$node->safe_psql('postgres', 'DROP DATABASE part');
	}

	# What is granted on an extension's type needs the extension.
	restored("$backup{$format}, 'part', schemas => '{ext}'", "$format: the schema of extensions");
	is($node->safe_psql('part', q{SELECT string_agg(extname, ' ') FROM pg_extension WHERE oid >= 16384}), 'hstore', "$format: what is granted there comes");
	is($node->safe_psql('part', q{SELECT has_type_privilege('reader', 'ext.hstore', 'USAGE') AND 'ext.akeys'::regproc::oid::text <> '' AND
		(SELECT proacl::text FROM pg_proc WHERE proname = 'akeys') ~ 'reader'}), 't', "$format: with the grants");
	$node->safe_psql('postgres', 'DROP DATABASE part');

	# A schema that is there already, empty: the grantor gets in for as long as it takes.
	$node->safe_psql('source', 'CREATE SCHEMA recovered');
	restored("$backup{$format}, 'source', tables => '{grants.t}', into_schema => 'recovered'", "$format: into a schema that exists");
	is($node->safe_psql('source', q{SELECT has_column_privilege('reader', 'recovered.t', 'a', 'UPDATE')
		AND NOT has_schema_privilege('passer', 'recovered', 'USAGE')}), 't', "$format: with what was granted, but for the schema");
	$node->safe_psql('source', 'DROP SCHEMA recovered CASCADE');

	# What only a function's text names cannot be known.
	fails("$backup{$format}, 'part', tables => '{hidden.t}'", qr/hidden\.codes" does not exist/, qr/Select it as well/, "$format: a hidden need");
	restored("$backup{$format}, 'part', tables => '{hidden.t,hidden.codes}'", "$format: with what is hidden");
	$node->safe_psql('postgres', 'DROP DATABASE part');
}

# What another database lacks.
$node->safe_psql('postgres', 'CREATE DATABASE other');
fails("$backup{custom}, 'other', tables => '{gist.t}', into_schema => 'recovered'",
	qr/extension "btree_gist" is missing in database "other"/, qr/CREATE EXTENSION "btree_gist"/, 'a missing extension');
fails("$backup{custom}, 'other', tables => '{casts.t}', into_schema => 'recovered'",
	qr/cannot cast type integer to recovered.cel/, qr/\(integer AS recovered\.cel\).*database of its own/, 'a missing cast');
fails("$backup{custom}, 'other', tables => '{generated.t}', into_schema => 'recovered'",
	qr/schema "generated" does not exist/, qr/text of a function.*database of its own/, 'a function whose text names another one');
foreach my $thing (grep { !/^(gist|casts|implicit|grants|generated)/ } @things)
{
	my (undef, $name) = split /\./, $thing;
	$node->safe_psql('other', 'CREATE EXTENSION IF NOT EXISTS btree_gist');
	restored("$backup{custom}, 'other', tables => '{$thing}', into_schema => 'recovered'", "$thing into a database that has nothing of it");
	is($node->safe_psql('other', "SELECT count(*) FROM recovered.$name"), $node->safe_psql('source', "SELECT count(*) FROM $thing"),
		"$thing: with its rows");
	$node->safe_psql('other', 'DROP SCHEMA recovered CASCADE');
}
is($node->safe_psql('other', q{SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_|^info'}),
	'public', 'nothing is left beside the schema');

# What has changed since comes along, and what is made of it.
$node->safe_psql('source', q{
	CREATE OR REPLACE FUNCTION generated.tax(numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 * 0.07; END';
	CREATE OR REPLACE FUNCTION domains.is_ordered(domains.pair) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false';
	CREATE OR REPLACE FUNCTION operators.compare(operators.size, operators.size) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp(($2).n, ($1).n)';
	CREATE OR REPLACE FUNCTION aggregates.add(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0';
	ALTER TEXT SEARCH CONFIGURATION search.plain DROP MAPPING FOR asciiword});
my $live = dump_of('source');
my %moved = (
	'generated.t' => q{SELECT sum(tax) = 1.14 AND to_regprocedure('recovered.tax(numeric)') IS NOT NULL FROM recovered.t},
	'domains.t' => q{SELECT pg_typeof(min(d::text)::recovered.ordered) = 'recovered.ordered'::regtype FROM recovered.t},
	'operators.v' => q{SELECT string_agg((s).n::text, ' ') = '5 4 3 2 1' AND pg_typeof(array_agg(s)) = 'recovered.size[]'::regtype FROM recovered.v},
	'aggregates.t' => q{SELECT total = 45 AND recovered.total(a) = 45 FROM recovered.t, LATERAL (SELECT array_agg(a) FROM recovered.base) b, recovered.base GROUP BY total},
	'search.t' => q{SELECT v @@ 'words' FROM recovered.t});
foreach my $thing (sort keys %moved)
{
	$thing =~ /^(\w+)/;
	restored("$backup{parallel}, 'source', tables => '{$thing}', into_schema => 'recovered'", "$thing: something has changed");
	is($node->safe_psql('source', $moved{$thing}), 't', "$thing: what came uses what was backed up");
	$node->safe_psql('source', 'DROP SCHEMA recovered CASCADE');
	is(dump_of('source'), $live, "$thing: and nothing else has changed");
}

# Excluding what a constraint's index needs names the constraint.
like(restored("$backup{custom}, 'part', exclude_schemas => '{opclass}', schemas => '{gist,routine}'", 'a schema is excluded')->{message} // '',
	qr/^$/, 'which nothing selected needs');
$node->safe_psql('postgres', 'DROP DATABASE part');

$node->stop;
done_testing();
