# A backup and its restore while the way to S3 is faulty, and the judgement on what became of them:
# completed and equal, or failed without a trace.
package FaultRun;

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Exporter 'import';
use FaultProxy;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use S3;
use Test::More;
use Time::HiRes qw(time);

our @EXPORT = qw(fault_setup fault_run fault_end);

# Seconds a run may take: the client tries for five minutes before it gives up.
my $patience = 420;

# A cluster whose database "shop" stores about so many megabytes, behind a fault proxy.
sub fault_setup
{
	my ($name, $megabytes) = @_;
	my $proxy = FaultProxy->new;
	my $folder = "$name-$$";
	my $node = new_cluster(
		$name,
		s3_settings($folder),
		'pgbackup.s3_endpoint' => $proxy->endpoint,
		'pgbackup.compression' => 'zstd:1',
		autovacuum => 'off',
		shared_buffers => '256MB',
		max_wal_size => '2GB');
	$node->safe_psql('postgres', 'CREATE DATABASE shop');
	$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
	# Text that compression can only bring back to the bytes it came from, in tables of several sizes.
	my $rows = int($megabytes * 1_000_000 / 1400);
	$node->safe_psql('shop', 'CREATE EXTENSION pgcrypto');
	my %share = (big => 0.5, middle => 0.3, little => 0.2);
	$node->safe_psql('shop', qq{
		CREATE TABLE $_ (id int PRIMARY KEY, noise text);
		INSERT INTO $_ SELECT i, translate(encode(gen_random_bytes(1024) || gen_random_bytes(376), 'base64'), E'\\n', '')
		  FROM generate_series(1, $rows * $share{$_}) i}) for sort keys %share;
	return { node => $node, proxy => $proxy, folder => $folder, digest => digest($node, 'shop') };
}

# The SHA-256 of everything a database holds: its rows, large objects, sequences and definitions.
sub digest
{
	my ($node, $database) = @_;
	my @sources = split /\n/, $node->safe_psql($database, q{
		SELECT c.oid::regclass FROM pg_class c WHERE relkind IN ('r', 'm') AND relnamespace NOT IN (
		       'pg_catalog'::regnamespace, 'information_schema'::regnamespace) ORDER BY c.oid::regclass::text});
	push @sources, 'pg_sequences', '(SELECT oid, sha256(lo_get(oid)) FROM pg_largeobject_metadata)';
	my $text = join "\n", map { $node->safe_psql($database, qq{
		SELECT encode(sha256(convert_to(string_agg(h, '' ORDER BY h COLLATE "C"), 'UTF8')), 'hex')
		  FROM (SELECT encode(sha256(convert_to(t::text, 'UTF8')), 'hex') AS h FROM $_ t) s}) } @sources;
	my ($schema, $errors) = ('', '');
	IPC::Run::run([ $node->installed_command('pg_dump'), '--schema-only', '-h', $node->host, '-p', $node->port, $database ],
		'>', \$schema, '2>', \$errors) or die "pg_dump of $database failed: $errors";
	return sha256_hex(join "\n", @sources, $text, grep { !/^\\(un)?restrict / } split /\n/, $schema);
}

# One backup under the plan `backup` and, when that completes, one restore under `restore` (none: no
# faults). `create` are further arguments of pgbackup.create; `expect` the status the backup must end
# with, if only one will do. The result is one assertion: `title`, what hit and how it ended.
sub fault_run
{
	my ($setup, %run) = @_;
	my ($node, $proxy) = @$setup{qw(node proxy)};
	my $since = time;
	my @wrong;
	$setup->{log} = [];
	my ($id, $status, $hits) = under($setup, $run{backup},
		sub { start_backup($node, "'shop'" . ($run{create} ? ", $run{create}" : '')) });
	my $story = "backup $status";
	push @wrong, "the backup is $status" unless $status =~ /^(completed|failed)$/ && $status eq ($run{expect} // $status);
	push @wrong, 'no fault hit the backup' unless $hits || $run{may_miss};
	push @wrong, failed_well($setup, $id, 'backups') if $status eq 'failed';
	if ($status eq 'completed')
	{
		push @wrong, 'an upload stays open after success' if s3_uploads($setup->{folder});
		my ($restored, $words) = restored($setup, $id, $run{restore}, \$hits);
		$story .= ", $words";
		push @wrong, @$restored;
		$node->safe_psql('postgres', "SELECT pgbackup.delete($id, delete_objects => true)");
	}
	push @wrong, left_behind($setup);
	my $title = sprintf '%s: %d faults, %s, %.1f s', $run{title}, $hits, $story, time - $since;
	ok(!@wrong, $title) or diag(join "\n", @wrong, 'faults:', @{ $setup->{log} });
	return;
}

# Starts something under a plan and waits for its end: its id, its status, and how many faults hit.
sub under
{
	my ($setup, $plan, $start) = @_;
	my ($node, $proxy) = @$setup{qw(node proxy)};
	$proxy->plan(%{ $plan // {} });
	my $id = $start->();
	my $status = $node->safe_psql('postgres', "SELECT pgbackup.wait($id, interval '$patience s')");
	if ($status !~ /^(completed|failed)$/)
	{
		$node->safe_psql('postgres', "SELECT pgbackup.cancel($id)");
		$status = "$status after $patience s";
	}
	my @log = $proxy->calm;
	push @{ $setup->{log} }, "run $id:", @log;
	return ($id, $status, scalar @log);
}

# Restores a backup, at last without faults, and compares: what is wrong, and the story in words.
sub restored
{
	my ($setup, $backup, $plan, $hits) = @_;
	my $node = $setup->{node};
	my (@wrong, @words);
	for my $try ($plan ? ($plan, undef) : undef)
	{
		my ($id, $status, $hit) = under($setup, $try, sub { start_restore($node, "$backup, 'back'") });
		$$hits += $hit;
		push @words, 'restore' . ($try ? ' under faults' : '') . " $status";
		if ($status eq 'completed')
		{
			push @wrong, 'the restored database differs' unless digest($node, 'back') eq $setup->{digest};
			$node->safe_psql('postgres', 'DROP DATABASE back');
			last;
		}
		push @wrong, "the restore is $status: " . row_of($node, $id, 'restores')->{message} unless $try && $status eq 'failed';
		push @wrong, failed_well($setup, $id, 'restores') if $status eq 'failed';
	}
	return (\@wrong, join ', ', @words);
}

# A failed run says why, and what to do.
sub failed_well
{
	my ($setup, $id, $table) = @_;
	my $row = row_of($setup->{node}, $id, $table);
	note("$table $id: $row->{message} | $row->{detail} | $row->{hint}");
	return grep { $_ } !$row->{message} && 'a failed run without a message', !$row->{hint} && 'a failed run without a hint';
}

# What is still there once the launcher has cleaned up: nothing.
sub left_behind
{
	my ($setup) = @_;
	my $node = $setup->{node};
	my @wrong;
	my $removing = sub {
		# What could not be removed during the faults is tried again after a while: make it now.
		$node->safe_psql('postgres', q{
			WITH r AS (UPDATE pgbackup.removals SET not_before = now() WHERE not_before > now() RETURNING 1)
			SELECT pg_reload_conf() FROM r});
		return $node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.removals');
	};
	push @wrong, 'what was left is not removed: ' . $node->safe_psql('postgres', 'SELECT message FROM pgbackup.removals')
	  unless eval { wait_until(sub { $removing->() == 0 }, 'removals', 60) };
	my @keys = s3_keys($setup->{folder});
	push @wrong, "objects stay: @keys" if @keys;
	push @wrong, 'an upload stays open' if s3_uploads($setup->{folder});
	my $databases = $node->safe_psql('postgres', q{SELECT string_agg(datname, ', ') FROM pg_database WHERE datname ~ '^back'});
	push @wrong, "databases stay: $databases" if $databases;
	return @wrong;
}

# Stops everything.
sub fault_end
{
	my ($setup) = @_;
	is($setup->{proxy}->stop, '', 'the proxy has nothing to complain about');
	$setup->{node}->stop;
	return;
}

1;
