# Backs a random database up in every format, restores it, and compares it with what PostgreSQL's own programs make
# of it: pg_dump, and pg_restore with one session.
package RandomRun;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RandomSchema;
use Test::More;
use Time::HiRes qw(time);

our @EXPORT = qw(random_setup random_run random_end);

my @formats = qw(custom plain parallel);

sub random_setup
{
	my $node = new_cluster('random', -init => [ '--locale=C.UTF-8', '--encoding=UTF8' ],
		fsync => 'off', autovacuum => 'off', max_wal_size => '2GB', max_connections => 60,
		'pgbackup.parallel_threshold' => '0', 'pgbackup.split_table_size' => '1MB', 'pgbackup.jobs' => 3, 'pgbackup.max_concurrent' => 3,
		'pgbackup.include_globals' => 'off', 'pgbackup.compression' => 'zstd:1', 'pgbackup.retry_count' => 0);
	if ($node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'btree_gist'}) == 0)
	{
		$node->stop;
		plan(skip_all => 'extension btree_gist is not installed');
	}
	$node->safe_psql('postgres', join ' ', map { "CREATE ROLE $_;" } random_roles());
	return { node => $node, skipped => 0, count => 0, connection => { PGHOST => $node->host, PGPORT => $node->port } };
}

# Runs a program of PostgreSQL on the server: whether it succeeded, what it wrote, and its errors.
sub program
{
	my ($setup, $input, $name, @arguments) = @_;
	my ($out, $err) = ('', '');
	local @ENV{qw(PGHOST PGPORT)} = @{ $setup->{connection} }{qw(PGHOST PGPORT)};
	my $worked = IPC::Run::run([ $setup->{node}->installed_command($name), @arguments ], '<', \$input, '>', \$out, '2>', \$err);
	return ($worked, $out, $err);
}

sub psql
{
	my ($setup, $database, $sql) = @_;
	return program($setup, $sql, 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', connection($database), '-f', '-');
}

sub connection
{
	my ($name) = @_;
	return "dbname='" . ($name =~ s/([\\'])/\\$1/gr) . "'";
}

sub identifier { return '"' . ($_[0] =~ s/"/""/gr) . '"' }

sub literal { return q{E'} . ($_[0] =~ s/([\\'])/\\$1/gr) . q{'} }

# Statements from database postgres, none of which may fail.
sub execute
{
	my ($setup, @statements) = @_;
	my ($worked, $out, $err) = psql($setup, 'postgres', join '', map { "$_;\n" } @statements);
	die "$err\n" unless $worked;
	chomp $out;
	return $out;
}

# All that is compared of a database, as lines.
sub answers
{
	my ($setup, $database) = @_;
	my ($worked, $answers, $err) = program($setup, '', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', connection($database), '-f', fixture('fixtures/random_answers.sql'));
	die "$database cannot be asked: $err" unless $worked;
	($worked, my $schema, $err) = program($setup, '', 'pg_dump', '--schema-only', '-d', connection($database));
	die "pg_dump of $database failed: $err" unless $worked;
	return [ (split /\n/, $answers), sort grep { !/^(--|\\(un)?restrict |$)/ } split /\n/, $schema ];
}

# Lines that only one of two lists has.
sub differences
{
	my ($expected, $found) = @_;
	my %count;
	$count{$_}++ for @$expected;
	$count{$_}-- for @$found;
	return map { ($count{$_} > 0 ? 'missing: ' : 'instead: ') . $_ } grep { $count{$_} } sort keys %count;
}

# How a restored database differs from what PostgreSQL's own programs make, but for lines that are as in the source,
# which they sometimes lose.
sub worse
{
	my ($stock, $source, $back) = @_;
	my %in_source = map { ($_ => 1) } @$source;
	return grep { my ($way, $line) = /^(missing|instead): (.*)/s; ($way eq 'missing') == ($in_source{$line} // 0) } differences($stock, $back);
}

# Restores with PostgreSQL's own programs as "stock"; what pg_restore says of errors.
sub restore_stock
{
	my ($setup, $name) = @_;
	my $file = $setup->{node}->basedir . '/stock.dump';
	my ($worked, $out, $err) = program($setup, '', 'pg_dump', '-Fc', '-Z0', '-C', '-f', $file, '-d', connection($name));
	return $err unless $worked;
	execute($setup, 'ALTER DATABASE ' . identifier($name) . ' RENAME TO "the source"');
	($worked, $out, $err) = program($setup, '', 'pg_restore', '-C', '-d', 'dbname=postgres', $file);
	unlink $file;
	execute($setup, 'ALTER DATABASE ' . identifier($name) . ' RENAME TO stock') if database_exists($setup, $name);
	execute($setup, 'ALTER DATABASE "the source" RENAME TO ' . identifier($name));
	return $worked ? '' : $err;
}

sub database_exists
{
	my ($setup, $name) = @_;
	return execute($setup, 'SELECT count(*) FROM pg_database WHERE datname = ' . literal($name));
}

# Waits for runs and returns [name, what became of it] of those that did not complete.
sub incomplete
{
	my ($setup, $table, %runs) = @_;
	my @found;
	for my $name (sort keys %runs)
	{
		my $status = finished($setup->{node}, $runs{$name});
		next if $status eq 'completed';
		if ($status !~ /^(failed|cancelled)$/)
		{
			# What comes next must not wait for it.
			$setup->{node}->safe_psql('postgres', "SELECT pgbackup.cancel($runs{$name})");
			finished($setup->{node}, $runs{$name});
		}
		my $row = row_of($setup->{node}, $runs{$name}, $table);
		push @found, [ $name, "$status: " . join ' | ', grep { $_ } map { $row->{$_} } qw(message detail hint) ];
	}
	return @found;
}

# Remembers how long something takes.
sub timed
{
	my ($setup, $what, $do) = @_;
	my $since = time;
	my @result = $do->();
	push @{ $setup->{times} }, [ $what, time - $since ];
	return wantarray ? @result : $result[0];
}

# What is wrong with the backups of the database, as lines; nothing when all is well.
sub faults
{
	my ($setup, $name) = @_;
	my $node = $setup->{node};
	my %backups = map { ($_ => execute($setup, 'SELECT pgbackup.create(' . literal($name) . ", format => '$_')")) } @formats;
	my @wrong = map { "$_->[0]: the backup $_->[1]" } timed($setup, 'backups', sub { incomplete($setup, 'backups', %backups) });
	return @wrong if @wrong;
	my %restores = map { ($_ => start_restore($node, "$backups{$_}, 'back_$_', jobs => " . (2 + $setup->{count} % 2))) } @formats;
	my $verification = $node->safe_psql('postgres', "SELECT pgbackup.verify($backups{parallel}, 'restore')");
	my $stock = timed($setup, 'answers', sub { answers($setup, 'stock') });
	my $source = timed($setup, 'answers', sub { answers($setup, $name) });
	my @failed = timed($setup, 'restores', sub { incomplete($setup, 'restores', %restores) });
	push @wrong, map { "$_->[0]: the restore $_->[1]" } @failed;
	my %failed = map { ($_->[0] => 1) } @failed;
	for my $format (grep { !$failed{$_} } @formats)
	{
		my $back = timed($setup, 'answers', sub { answers($setup, "back_$format") });
		push @wrong, map { "$format: $_" } worse($stock, $source, $back);
	}
	if (differences($stock, $source))
	{
		note("stock: $_") for differences($source, $stock);
		incomplete($setup, 'restores', verification => $verification);
	}
	else
	{
		push @wrong, map { "the verification $_->[1]" } timed($setup, 'verification', sub { incomplete($setup, 'restores', verification => $verification) });
	}
	return @wrong;
}

# One database, as one assertion.
sub random_run
{
	my ($setup, $seed) = @_;
	my $since = time;
	$setup->{times} = [];
	my $schema = random_schema($seed);
	my $title = "seed $seed, $schema->{title}";
	my @wrong;
	my $worked = eval {
		execute($setup, @{ $schema->{create} });
		my ($loaded, $out, $err) = timed($setup, 'source', sub { psql($setup, $schema->{name}, $schema->{sql}) });
		die "the database cannot be made: $err\n" unless $loaded;
		my $refused = timed($setup, 'stock', sub { restore_stock($setup, $schema->{name}) });
		if ($refused)
		{
			$setup->{skipped}++;
			$title .= ', which pg_restore cannot restore';
			note(join "\n", grep { defined } (split /\n/, $refused)[ 0 .. 7 ]);
		}
		else { @wrong = faults($setup, $schema->{name}) }
		1;
	};
	note("$title: ", join ', ', map { sprintf '%s %.1f', @$_ } @{ $setup->{times} });
	push @wrong, $@ unless $worked;
	$setup->{count}++;
	splice @wrong, 30, scalar @wrong, '…' if @wrong > 30;
	ok(!@wrong, sprintf '%s: %.1f s', $title, time - $since)
	  or diag(join "\n", @wrong, "repeat it with scripts/test random-schemas --seed=$seed --runs=1, see it with",
		"perl -I test/perl -MRandomSchema -e 'print random_schema($seed)->{sql}'");
	execute($setup, map { 'DROP DATABASE IF EXISTS ' . identifier($_) . ' WITH (FORCE)' } $schema->{name}, 'the source', 'stock', map { "back_$_" } @formats);
	execute($setup, q{SELECT pgbackup.delete(id, delete_objects => true) FROM pgbackup.backups WHERE status = 'completed'});
	return;
}

# How many could not be compared, which must stay few.
sub random_end
{
	my ($setup) = @_;
	cmp_ok($setup->{skipped}, '<=', $setup->{count} / 10, "$setup->{skipped} of $setup->{count} databases cannot be restored by pg_restore");
	$setup->{node}->stop;
	return;
}

1;
