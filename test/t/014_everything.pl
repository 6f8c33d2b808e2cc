# A database that has everything pg_dump knows comes back the same, from every layout: compared as a dump
# and catalog by catalog.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use Comparison;
use IPC::Run;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Compiles the provider of security labels; returns the library's path, or nothing where there is no compiler
# or the server's headers are missing.
sub label_provider
{
	my ($folder) = @_;
	my $headers = `'$ENV{PG_CONFIG}' --includedir-server 2>/dev/null`;
	chomp $headers;
	my $library = "$folder/labels.so";
	my $output = '';
	my $worked = eval {
		IPC::Run::run([ 'cc', '-shared', '-fPIC', '-I', $headers, '-o', $library, fixture('fixtures/everything/labels.c') ],
			'>', \$output, '2>&1');
	};
	note($output) if $output;
	return $worked ? $library : undef;
}

my $folder = PostgreSQL::Test::Utils::tempdir();
my $provider = label_provider($folder);
my %settings = (wal_level => 'logical', max_locks_per_transaction => 128);
$settings{session_preload_libraries} = $provider if defined $provider;
my $node = new_cluster('everything', %settings);
$node->safe_psql('postgres', 'CREATE DATABASE source TEMPLATE template0');

my @psql = ($node->installed_command('psql'), '-X', '-h', $node->host, '-p', $node->port);
my @labels = defined $provider ? ('-v', 'labels=1') : ();
my $output = '';
my $loaded = IPC::Run::run([ @psql, '-q', '-d', 'source', @labels, '-f', fixture('fixtures/everything.sql') ], '>', \$output, '2>&1');
ok($loaded, 'the fixture loads') or BAIL_OUT($output);
is($output, '', 'without a word');

SKIP:
{
	skip 'no provider of security labels: it takes a C compiler and the headers of the server', 1 unless defined $provider;
	is($node->safe_psql('source', q{SELECT count(*) >= 15 FROM pg_seclabels WHERE provider = 'everything'}), 't', 'there are security labels');
}
SKIP:
{
	skip 'extension everything_test is not installed: scripts/test does that as root', 1
	  unless $node->safe_psql('source', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'everything_test'});
	is($node->safe_psql('source', q{SELECT count(*) FROM pg_extension WHERE extconfig IS NOT NULL}), 1,
		'there is an extension with configuration tables');
}

my @source_dump = split /\n/, database_as_text($node, 'source');
my @source_catalog = catalog_as_lines($node, 'source');
cmp_ok(scalar @source_dump, '>', 2000, 'the dump of the source has something to compare');
cmp_ok(scalar @source_catalog, '>', 10000, 'so have its catalogs');

for my $format ('custom', 'parallel', 'plain')
{
	my $id = start_backup($node, "'source', format => '$format'");
	is(finished($node, $id), 'completed', "$format: the backup is complete") or diag(explain(row_of($node, $id)));
	my ($code, $out, $err) = $node->psql('postgres', "CALL pgbackup.run_restore($id, 'back_$format', jobs => 2)");
	is($code, 0, "$format: the restore is complete") or diag($err);
	next if $code != 0;
	my @differences = differences(\@source_dump, [ split /\n/, database_as_text($node, "back_$format") ]);
	is_deeply(\@differences, [], "$format: a dump of the restored database is that of the source");
	@differences = differences(\@source_catalog, [ catalog_as_lines($node, "back_$format") ]);
	is_deeply(\@differences, [], "$format: its catalogs too");
	is($node->safe_psql("back_$format", 'SELECT count(*) FROM ev.by_mood'), 200, "$format: rows partitioned by an enum are all there");
	# Sampling those whose rows lie partly elsewhere would ask other servers.
	is( $node->safe_psql("back_$format", q{SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'm') AND reltuples < 0 ORDER BY 1}),
		"parent_b\npartly_far", "$format: every other table has statistics");
	is($node->safe_psql("back_$format", q{SELECT count(*) FROM pg_stats WHERE tablename = 'by_mood' AND inherited}),
		$node->safe_psql("back_$format", q{SELECT count(*) FROM pg_attribute WHERE attrelid = 'ev.by_mood'::regclass AND attnum > 0}),
		"$format: a partitioned table, too, of all its columns");
}

$node->stop;
done_testing();
