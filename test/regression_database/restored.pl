# PostgreSQL's own regression database, as its tests leave it, comes back through every path as stock pg_dump and
# pg_restore -C bring it back: compared by definitions, catalog by catalog and row by row.
#
# PGBACKUP_REGRESSION_SOURCE is a folder with src/test/regress of PostgreSQL's source, of the server's major version.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use Comparison;
use IPC::Run;
use LanedBackup;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $regress = "$ENV{PGBACKUP_REGRESSION_SOURCE}/src/test/regress";
my $node = new_cluster('regression',
	-init => [ '--locale=C', '--encoding=UTF8' ],
	wal_level => 'replica',
	max_wal_senders => 10,
	max_prepared_transactions => 2,
	max_locks_per_transaction => 128,
	dynamic_shared_memory_type => 'mmap',
	log_statement => 'none',
	'pgbackup.split_table_size' => '1MB',
	'pgbackup.jobs' => 4,
	'pgbackup.safety_backup' => 'off');
my $store = $node->basedir . '/store';
my @server = ('-h', $node->host, '-p', $node->port);

# Runs a program of the server's; dies unless it succeeds or may fail. Returns its output, errors included.
sub output_of
{
	my ($may_fail, $program, @arguments) = @_;
	my $output = '';
	IPC::Run::run([ $node->installed_command($program), @arguments ], '<', \'', '>', \$output, '2>&1')
	  or $may_fail
	  or die "$program failed: $output";
	return $output;
}

# The tests need the library that their source has, and two modules of the server's.
sub regression_libraries
{
	my $folder = PostgreSQL::Test::Utils::tempdir();
	my ($headers, $modules) = map { $node->config_data($_) } '--includedir-server', '--pkglibdir';
	my $output = '';
	IPC::Run::run([ 'cc', '-shared', '-fPIC', '-O1', '-w', '-I', $headers, '-o', "$folder/regress.so", "$regress/regress.c" ],
		'>', \$output, '2>&1')
	  or BAIL_OUT("regress.c does not compile: $output");
	symlink "$modules/$_.so", "$folder/$_.so" for qw(autoinc refint);
	return $folder;
}

# Some of its tests may fail, as on another minor version: what counts is the database that they leave.
sub run_regression_tests
{
	my ($output, $folder) = ('', $node->basedir . '/regress');
	mkdir $folder or die "$folder: $!";
	IPC::Run::run([ $ENV{PG_REGRESS}, '--dlpath=' . regression_libraries(), '--bindir=' . $node->config_data('--bindir'),
			'--host=' . $node->host, '--port=' . $node->port, "--inputdir=$regress", "--outputdir=$folder",
			"--schedule=$regress/parallel_schedule", '--max-concurrent-tests=20' ], '<', \'', '>', \$output, '2>&1');
	my ($failed, $all) = $output =~ /(\d+) of (\d+) tests failed/;
	($failed, $all) = (0, $1) if $output =~ /All (\d+) tests passed/;
	BAIL_OUT("the regression tests did not run: $output") unless $all;
	my @failed = $output =~ /^not ok \d+ +[-+] (\S+)/mg;
	@failed = $output =~ /(\S+) +\.\.\. FAILED/g unless @failed;
	diag("$failed of PostgreSQL's own $all regression tests failed: @failed") if $failed;
	cmp_ok($failed, '<=', $all / 10, "at most a tenth of PostgreSQL's own $all regression tests fail") or diag($output);
	return;
}

# What pg_dump writes, but for rows, in its order.
sub definitions
{
	my ($database) = @_;
	# The dump's own random key (\restrict) differs every time.
	return join "\n", grep { !/^\\(un)?restrict / } split /\n/, output_of(0, 'pg_dump', '-s', @server, '-d', $database);
}

sub everything_of
{
	my ($database) = @_;
	return {
		definitions => definitions($database),
		catalog => [ catalog_as_lines($node, $database) ],
		contents => [ script_as_lines($node, $database, 'regression_database/contents.sql', 'schemas=.') ],
	};
}

# Few enough of a list to be read.
sub some_of
{
	my (@lines) = @_;
	my $more = @lines - 40;
	return $more > 0 ? (@lines[ 0 .. 39 ], "and $more more") : @lines;
}

my $stock;

# A database is the same as what stock has made, and is dropped.
sub is_as_stock
{
	my ($database, $title) = @_;
	my $got = everything_of($database);
	ok($got->{definitions} eq $stock->{definitions}, "$title: definitions, in their order");
	is_deeply([ some_of(differences($stock->{$_}, $got->{$_})) ], [], "$title: $_") for qw(catalog contents);
	$node->safe_psql('postgres', qq{DROP DATABASE "$database"});
	return;
}

run_regression_tests();
cmp_ok($node->safe_psql('regression', q{SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'm') AND oid >= 16384}),
	'>', 400, 'they leave a database with something in it');

# What stock makes of it, with the database's own properties, while the source stands aside.
my $archive = $node->basedir . '/stock.dump';
output_of(0, 'pg_dump', '-Fc', '-f', $archive, @server, '-d', 'regression');
$node->safe_psql('postgres', 'ALTER DATABASE regression RENAME TO aside');
my $stock_errors = output_of(1, 'pg_restore', '-C', @server, '-d', 'postgres', $archive);
$node->safe_psql('postgres', $_) for 'ALTER DATABASE regression RENAME TO stock', 'ALTER DATABASE aside RENAME TO regression';
is($stock_errors, '', 'stock restores it without an error');
$stock = everything_of('stock');
cmp_ok(scalar @{ $stock->{$_} }, '>', 400, "there is something to compare: $_") for qw(catalog contents);
# Columns of its inherited tables come in another order, so that rows look otherwise; but none is missing.
my $source = everything_of('regression');
my @rows_of = map { [ map { s/\|[^|]*$//r } @{ $_->{contents} } ] } $source, $stock;
is_deeply([ some_of(differences(@rows_of)) ], [], 'it has all tables of the source and as many rows');
# Privileges of the database that are the default ones are not written down by stock, whose database has none then.
$stock->{catalog} = [ (grep { !/^database\|/ } @{ $stock->{catalog} }), grep { /^database\|/ } @{ $source->{catalog} } ];

# Into a schema beside the live tables: those of public are nearly all there are; the others, as far as the version has
# them, have keys between partitions, policies and generated columns. Materialized views that need a table come along.
sub comes_into_schemas
{
	my ($id, $format) = @_;
	my @schemas = split /\n/, $node->safe_psql('regression', q{SELECT nspname FROM pg_namespace WHERE nspname IN ('public', 'fkpart5',
		'regress_indexing', 'regress_rls_schema', 'generated_stored_tests', 'generated_virtual_tests') ORDER BY 1});
	cmp_ok(scalar @schemas, '>=', 4, 'there are schemas to bring beside the live ones');
	for my $schema (@schemas)
	{
		my $into = "into_$schema";
		my $restore = start_restore($node, "$id, 'regression', schemas => '{$schema}', into_schema => '$into'");
		is(finished($node, $restore), 'completed', "$format: schema $schema comes beside the live one")
		  or diag(explain(row_of($node, $restore, 'restores')));
		for my $of ([ 'tables', 'schema' ], [ 'contents', 'schemas' ])
		{
			my ($script, $variable) = @$of;
			my %lines;
			for my $place ([ 'stock', $schema ], [ 'regression', $into ])
			{
				my $value = $variable eq 'schemas' ? "^$place->[1]\$" : $place->[1];
				$lines{ $place->[0] } = [ map { s/\b\Q$into\E\b/$schema/gr }
					  grep { !/^large object/ } script_as_lines($node, $place->[0], "regression_database/$script.sql", "$variable=$value") ];
			}
			is_deeply([ some_of(grep { /^only before/ } differences($lines{stock}, $lines{regression})) ], [], "$format: $script of $schema");
		}
		$node->safe_psql('regression', "SET client_min_messages = error; DROP SCHEMA $into CASCADE");
	}
	return;
}

for my $format (qw(custom plain parallel))
{
	my $id = start_backup($node, "'regression', format => '$format'");
	is(finished($node, $id), 'completed', "$format: the backup is complete") or diag(explain(row_of($node, $id)));
	my $name = row_of($node, $id)->{file_name};
	if ($format eq 'parallel')
	{
		my @objects = @{ read_manifest("$store/$name")->{objects} };
		cmp_ok(scalar(grep { $_->{kind} eq 'copy' } @objects), '>', 2, 'large tables are in several ranges');
		cmp_ok(scalar(grep { $_->{kind} ne 'copy' } @objects), '>', 2, 'others in archives of their own');
	}

	my $restore = start_restore($node, "$id, 'restored'");
	is(finished($node, $restore), 'completed', "$format: restored under a new name") or diag(explain(row_of($node, $restore, 'restores')));
	is(row_of($node, $restore, 'restores')->{message}, '', "$format: without a remark");
	is_as_stock('restored', "$format, under a new name");

	$node->safe_psql('postgres', 'CREATE DATABASE standing');
	$node->safe_psql('standing', 'CREATE TABLE precious (i int)');
	$restore = start_restore($node, "$id, 'standing', replace => true");
	is(finished($node, $restore), 'completed', "$format: restored in the place of another") or diag(explain(row_of($node, $restore, 'restores')));
	my $kept = row_of($node, $restore, 'restores')->{kept_database};
	is($node->safe_psql($kept, 'SELECT count(*) FROM precious'), 0, "$format: which is kept");
	$node->safe_psql('postgres', qq{DROP DATABASE "$kept"});
	is_as_stock('standing', "$format, in the place of another");

	my ($code, $out, $err) = pgbackup($node, 'restore', $name, '--storage', "file://$store", '--target-database', 'by_program', @server);
	is($code, 0, "$format: the program restores it") or diag($err);
	is_as_stock('by_program', "$format, by the program");

	my $verification = $node->safe_psql('postgres', "SELECT pgbackup.verify($id, 'restore')");
	is(finished($node, $verification), 'completed', "$format: proved by restoring it") or diag(explain(row_of($node, $verification, 'restores')));
	like(row_of($node, $verification, 'restores')->{message},
		$format eq 'plain' ? qr/^the backup has no fingerprints/ : qr/^the rows of [1-9]\d\d tables are those that were dumped$/, "$format: which says of what");

	# A script has no parts.
	comes_into_schemas($id, $format) unless $format eq 'plain';
}

my $after = everything_of('regression');
is_deeply([ some_of(differences($source->{$_}, $after->{$_})) ], [], "the source is what it was: $_") for qw(catalog contents);

$node->stop;
done_testing();
