# Names that break naive tools survive a backup and a restore: of databases, schemas, tables, roles.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @odd = (
	'Upper Case', 'with.dot', q{it's "quoted"}, "new\nline", 'key=value', "caf\xc3\xa9 \xe2\x82\xac",
	'-leading-dash', 'back\\slash', '../../etc', '%41 $HOME `id`', 'host=nowhere dbname=other', '{id}');

my $node = new_cluster('odd');
my $store = $node->basedir . '/store';
my $fixture = read_file(fixture('fixtures/odd_names.sql'));

sub literal
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	return "'$text'";
}

sub identifier
{
	my ($text) = @_;
	$text =~ s/"/""/g;
	return "\"$text\"";
}

# libpq would take a name with '=' for a connection string.
sub connection
{
	my ($database) = @_;
	$database =~ s/([\\'])/\\$1/g;
	return "dbname='$database' host=" . $node->host . ' port=' . $node->port;
}

my $number = 0;
for my $name (@odd)
{
	$number++;
	my $shown = $name =~ s/\n/\\n/gr;
	$node->safe_psql('postgres', 'CREATE DATABASE ' . identifier($name));
	$node->safe_psql('postgres', $fixture, connstr => connection($name), extra_params => ['-q']);
	my $source = database_as_text($node, $name);
	for my $format ($number % 2 ? 'parallel' : 'custom')
	{
		my $id = start_backup($node, literal($name) . ", format => '$format'");
		is(finished($node, $id), 'completed', "[$shown] $format: backup")
		  or diag(explain(row_of($node, $id)));
		my $target = "$name back $format";
		my $restore = start_restore($node, "$id, " . literal($target));
		is(finished($node, $restore), 'completed', "[$shown] $format: restore")
		  or diag(explain(row_of($node, $restore, 'restores')));
		ok(database_as_text($node, $target) eq $source, "[$shown] $format: equal");
		$node->safe_psql('postgres', 'DROP DATABASE ' . identifier($target));
	}
}

is_deeply([ grep { m{(^|/)\.} || /[\x00-\x1f]/ } storage_files($store) ], [],
	'no file is hidden or has control characters in its name');
my %folders = map { (split m{/}, $_)[1] => 1 } storage_files($store);
is(scalar keys %folders, scalar @odd, 'every database has a folder of its own');
ok(!-e $node->basedir . '/etc', 'and none leaves the storage');

# The same names select tables.
$node->safe_psql('postgres', 'CREATE DATABASE choice');
$node->safe_psql('choice', q{
	CREATE SCHEMA "Odd.Schema ""x"""; CREATE TABLE "Odd.Schema ""x"""."t*?.|+()" AS SELECT 1 AS a;
	CREATE TABLE "Odd.Schema ""x"""."tx" AS SELECT 2 AS a; CREATE SCHEMA other; CREATE TABLE other.t AS SELECT 3 AS a});
my $id = start_backup($node, q{'choice', tables => ARRAY['"Odd.Schema ""x"""."t*?.|+()"']});
is(finished($node, $id), 'completed', 'one table with pattern characters in its name is selected')
  or diag(explain(row_of($node, $id)));
$node->safe_psql('postgres', "CALL pgbackup.run_restore($id, 'chosen')");
is( $node->safe_psql('chosen', q{SELECT string_agg(relname, ',') FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information)'}),
	't*?.|+()', 'and no other');

$node->stop;
done_testing();
