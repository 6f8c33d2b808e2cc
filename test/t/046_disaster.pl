# The disaster drill: a cluster with encrypted backups loses its data directory; bucket, identity file and
# executable bring back roles, tablespaces, databases and catalog. The commands are those of docs/disaster-recovery.md.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use IPC::Run;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use S3;
use Test::More;

my $document = fixture('../docs/disaster-recovery.md');
plan skip_all => 'docs/disaster-recovery.md is not here' unless -e $document;

# The commands below each heading.
my %commands;
my $heading = '';
for my $piece (split /^(?=#{2,3} |```)/m, read_file($document))
{
	$heading = $1 if $piece =~ /^#+ (.*)/;
	$commands{$heading} = $1 if $piece =~ /^```bash\n(.*)/s;
}
my @steps = ('1. A new cluster', '2. What is there', '3. Everything back', '4. pgbackup itself', '5. Is it all right?');
my @by_hand = ('Roles', 'Format custom', 'Format parallel', 'Owner, grants and settings of the database');
is_deeply([ sort keys %commands ], [ sort @steps, @by_hand ], 'the document has commands for each step');

sub run_commands
{
	my ($name, %variables) = @_;
	local @ENV{ keys %variables } = values %variables;
	delete local $ENV{PGDATABASE};
	my $output = '';
	my $worked = IPC::Run::run([ 'bash', '-euo', 'pipefail', '-c', $commands{$name} ], '<', \'', '>', \$output, '2>&1');
	ok($worked, "$variables{title}: \"$name\" works as written") or diag($output);
	return $output;
}

# What pg_dump and pg_dumpall know of a cluster, but for the order of lines and the blank ones.
sub cluster_as_text
{
	my ($node, @databases) = @_;
	my %text;
	my @server = ('-h', $node->host, '-p', $node->port);
	for my $case ([ 'globals', 'pg_dumpall', '--globals-only', '--no-role-passwords' ],
		map { [ $_, 'pg_dump', '--create', '--inserts', '-d', $_ ] } @databases)
	{
		my ($name, $program, @arguments) = @$case;
		my ($out, $err) = ('', '');
		IPC::Run::run([ $node->installed_command($program), @server, @arguments ], '>', \$out, '2>', \$err) or die $err;
		$text{$name} = join "\n", sort grep { /\S/ && !/^\\(un)?restrict / } split /\n/, $out;
	}
	return \%text;
}

# Who made an encrypted backup, and what is in it, is not in clear, so import() does not know it.
my $columns = q{id, database, file_name, storage, file_size, raw_size, database_size, backup_type, schedule, label, format, status,
	checksum, created_at, server_version, pinned, manifest->'backup'->>'content', manifest->'encryption'};
sub catalog { return $_[0]->safe_psql('postgres', "SELECT $columns FROM pgbackup.backups ORDER BY id") }

# The directory of a cluster's tablespace; made anew, it is empty.
my $spaces = PostgreSQL::Test::Utils::tempdir_short();
sub space_of { return "$spaces/$_[0]" }

sub make_space
{
	my ($name) = @_;
	system_or_bail('rm', '-rf', space_of($name));
	mkdir space_of($name), 0700 or die "mkdir: $!";
	return;
}

# A cluster with roles, a tablespace and databases of every kind of property, backed up encrypted.
sub source_cluster
{
	my ($name, %settings) = @_;
	my $node = new_cluster($name, 'pgbackup.split_table_size' => '1MB', 'pgbackup.cluster_name' => $name, %settings);
	my $key = $node->basedir . '.key';
	my ($status, $recipient, $err) = pgbackup($node, 'keygen', '-o', $key);
	is($status, 0, "$name: a key") or diag($err);
	chomp $recipient;
	restart_settings($node, 'pgbackup.encryption_recipients' => $recipient);
	make_space($name);
	$node->safe_psql('postgres', q{
		CREATE ROLE "Die Gruppe" NOLOGIN;
		CREATE ROLE owner_of_shop LOGIN CREATEDB CONNECTION LIMIT 7 PASSWORD 'hunter2';
		CREATE ROLE nobody_uses_it LOGIN VALID UNTIL '2050-01-01';
		CREATE ROLE boss SUPERUSER;
		GRANT "Die Gruppe" TO owner_of_shop WITH ADMIN OPTION;
		GRANT "Die Gruppe" TO nobody_uses_it;
		GRANT pg_monitor TO nobody_uses_it;
		ALTER ROLE owner_of_shop SET work_mem = '7MB';
		COMMENT ON ROLE boss IS 'the one';
		GRANT SET ON PARAMETER log_statement TO owner_of_shop WITH GRANT OPTION;
		SET SESSION AUTHORIZATION owner_of_shop;
		GRANT SET ON PARAMETER log_statement TO nobody_uses_it;
		RESET SESSION AUTHORIZATION;
		GRANT SET, ALTER SYSTEM ON PARAMETER log_min_messages TO "Die Gruppe";
		GRANT SET ON PARAMETER deadlock_timeout TO PUBLIC;
		CREATE TABLESPACE fast OWNER owner_of_shop LOCATION '} . space_of($name) . q{';
		ALTER TABLESPACE fast SET (random_page_cost = 1.1);
		GRANT CREATE ON TABLESPACE fast TO "Die Gruppe" WITH GRANT OPTION;
		COMMENT ON TABLESPACE fast IS 'new disks';
		CREATE DATABASE shop OWNER owner_of_shop CONNECTION LIMIT 40;
		CREATE DATABASE "Wüste ""2""" OWNER boss;
		CREATE DATABASE plain TABLESPACE fast;
		REVOKE CONNECT ON DATABASE shop FROM PUBLIC;
		GRANT CONNECT ON DATABASE shop TO "Die Gruppe";
		ALTER DATABASE shop SET statement_timeout = '1h';
		ALTER ROLE nobody_uses_it IN DATABASE shop SET search_path = stock, public;
		COMMENT ON DATABASE shop IS 'goods';
		CREATE TABLE public.in_the_home_database AS SELECT 1 AS one;
		SELECT pgbackup.schedule('weekly', '30 3 * * sun', label => 'full week')});
	$node->safe_psql('shop', q{
		CREATE SCHEMA stock AUTHORIZATION owner_of_shop;
		CREATE TABLE stock.item AS SELECT n, repeat(md5(n::text), 4) AS note FROM generate_series(1, 20000) AS n;
		ALTER TABLE stock.item ADD PRIMARY KEY (n) USING INDEX TABLESPACE fast;
		ALTER TABLE stock.item OWNER TO owner_of_shop;
		GRANT SELECT ON stock.item TO "Die Gruppe";
		ALTER DEFAULT PRIVILEGES IN SCHEMA stock GRANT SELECT ON TABLES TO nobody_uses_it;
		CREATE TABLE stock.line (item int REFERENCES stock.item, many int) TABLESPACE fast;
		INSERT INTO stock.line SELECT n, n FROM generate_series(1, 100) AS n;
		SELECT lo_from_bytea(0, 'a large object')});
	$node->safe_psql('Wüste "2"', q{CREATE TABLE "Sand" ("Korn" text); INSERT INTO "Sand" VALUES ('fein'); GRANT ALL ON "Sand" TO boss});
	$node->safe_psql('plain', 'CREATE VIEW v AS SELECT 1 AS one');
	my %id;
	# An older one of part of a database, and an older one of all of it, are not what is restored.
	start_backup($node, q{'plain', content => 'schema'});
	$id{older} = start_backup($node, q{'shop', format => 'custom'});
	is(finished($node, $id{older}), 'completed', "$name: an older backup");
	$node->safe_psql('shop', 'INSERT INTO stock.line VALUES (1, 1)');
	for my $case ([ 'shop', 'parallel' ], [ 'Wüste "2"', 'custom' ], [ 'plain', 'plain' ], [ 'postgres', 'custom' ])
	{
		my ($database, $format) = @$case;
		(my $literal = $database) =~ s/'/''/g;
		$id{$database} = start_backup($node, "'$literal', format => '$format'");
		is(finished($node, $id{$database}), 'completed', "$name: a backup of $database")
		  or diag(explain(row_of($node, $id{$database})));
	}
	is(finished($node, start_backup($node, q{'plain', schemas => '{public}'})), 'completed', "$name: a newer one of a part");
	return ($node, $key, \%id);
}

sub lines_that_differ
{
	my ($one, $other) = @_;
	my %count;
	$count{$_}++ for split /\n/, $one;
	$count{$_}-- for split /\n/, $other;
	return grep { $count{$_} != 0 } sort keys %count;
}

my $fresh = PostgreSQL::Test::Cluster->new('fresh');

# Before anything is made, the directory of the tablespace has to be there, and free.
sub check_tablespace_directory
{
	my ($name, @restore) = @_;
	my $space = space_of($name);
	my $made = q{SELECT count(*) FROM pg_roles WHERE rolname = 'boss' UNION ALL SELECT count(*) FROM pg_tablespace WHERE spcname = 'fast'};
	my ($status, undef, $err) = pgbackup($fresh, @restore);
	is($status, 1, "$name: with what the lost server left there it is refused");
	like($err, qr/directory "\Q$space\E" of tablespace "fast" is not empty.*It holds "PG_\d+_\d+".*--no-tablespaces/s, "$name: the reason is told");
	system_or_bail('rm', '-rf', $space);
	($status, undef, $err) = pgbackup($fresh, @restore);
	is($status, 3, "$name: without the directory, too");
	like($err, qr/directory "\Q$space\E" of tablespace "fast" does not exist.*hint: Create it .*--no-tablespaces/s, "$name: the message names it");
	make_space($name);
	($status, undef, $err) = pgbackup($fresh, @restore, '--dry-run');
	is($status, 0, "$name: a dry run") or diag($err);
	like($err, qr/a tablespace would be created: "fast"/, "$name: says what would be made");
	unlike($err, qr/not exist here/, "$name: and takes it for there");
	is($fresh->safe_psql('postgres', $made), "0\n0", "$name: nothing is made by any of these");
	return;
}

# What is in a tablespace can go into the default one.
sub restore_without_tablespaces
{
	my ($name, $database, @options) = @_;
	my $target = "${database}_without";
	my ($status, undef, $err) = pgbackup($fresh, 'restore', 'latest', '--database', $database, '--target-database', $target,
		'--no-tablespaces', @options);
	is($status, 0, "$name: $database without tablespaces") or diag($err);
	is($fresh->safe_psql($target, q{SELECT count(*) FROM pg_class WHERE reltablespace NOT IN (0, 1664) UNION ALL
		SELECT count(*) FROM pg_database WHERE datname = current_database() AND dattablespace <> 1663}), "0\n0",
		"$name: all of $database is in the default one");
	$fresh->safe_psql('postgres', "DROP DATABASE $target");
	return;
}

my @databases = ('postgres', 'shop', 'Wüste "2"', 'plain');
my %here = (
	PGHOST => $fresh->host,
	PGPORT => $fresh->port,
	PGDATA => $fresh->data_dir,
	PATH => $fresh->config_data('--bindir') . ":$ENV{PATH}");

sub drill
{
	my ($name, $storage, %settings) = @_;
	my ($node, $key, $id) = source_cluster($name, %settings);
	my ($before, $catalog) = (cluster_as_text($node, @databases), catalog($node));
	my %folder = map { $_ => row_of($node, $id->{$_})->{file_name} } keys %$id;
	$node->stop('immediate');
	system_or_bail('rm', '-rf', $node->data_dir);

	my %variables = (%here, title => $name, STORAGE => $storage, IDENTITY => $key, CLUSTER => $name);
	system_or_bail('rm', '-rf', $fresh->data_dir);
	run_commands($steps[0], %variables);
	$fresh->_update_pid(1);
	like(run_commands($steps[1], %variables), qr/^\d+\tshop\t\Q$name\E\t/m, "$name: the list has what the reader must know");
	my @options = ('--cluster', $name, '-s', $storage, '-i', $key, '-h', $fresh->host, '-p', $fresh->port);
	check_tablespace_directory($name, 'restore', '--all', @options);
	my $output = run_commands($steps[2], %variables);
	like($output, qr/a tablespace was created: "fast"/, "$name: the tablespace is made");
	like($output, qr/is restored as database "\Q$_\E"/, "$name: $_ is restored") for @databases;
	unlike($output, qr/hunter2/, "$name: no password is shown");
	my $after = cluster_as_text($fresh, @databases);
	is(join("\n", lines_that_differ($before->{$_}, $after->{$_})), '', "$name: $_ equal") for 'globals', @databases;
	# A second time changes nothing.
	my ($status, undef, $err) = pgbackup($fresh, 'restore', '--all', '-q', @options);
	is($status, 1, "$name: once more is refused");
	like($err, qr/database "shop" is not empty/, "$name: because of what is there");
	my $again = cluster_as_text($fresh, @databases);
	is_deeply($again, $after, "$name: and nothing is changed");
	restore_without_tablespaces($name, $_, @options) for 'shop', 'plain';

	run_commands($steps[3], %variables);
	$fresh->_update_pid(1);
	# All is as it was, and pinned: the new server is another one.
	is(catalog($fresh) =~ s/\|t\|/|f|/gr, $catalog, "$name: the catalog is what it was");
	like(run_commands($steps[4], %variables), qr/full week|storage/, "$name: it can be looked at");
	my $next = start_backup($fresh, q{'shop'});
	is(finished($fresh, $next), 'completed', "$name: and backups go on") or diag(explain(row_of($fresh, $next)));
	is($fresh->safe_psql('postgres', "SELECT manifest ? 'encryption' FROM pgbackup.get($next)"), 't', "$name: encrypted");
	return ($node, $key, $before, \%folder);
}

my ($node, $key, $before, $folder) = do
{
	my $store = PostgreSQL::Test::Utils::tempdir();
	drill('in_files', "file://$store", 'pgbackup.storage' => "file://$store");
};
my $store = $fresh->safe_psql('postgres', 'SHOW pgbackup.storage') =~ s{^file://}{}r;
$fresh->stop;

# With the stock tools alone.
SKIP:
{
	skip 'age or zstd is not here', 1 if system('command -v age >/dev/null && command -v zstd >/dev/null') != 0;
	system_or_bail('rm', '-rf', $fresh->data_dir);
	my %variables = (%here, title => 'by hand', IDENTITY => $key);
	run_commands($steps[0], %variables);
	$fresh->_update_pid(1);
	make_space('in_files');
	ok(scalar(grep { /data-\d+.*\.sql\.zst\.age$/ } storage_files("$store/$folder->{shop}")) >= 2, 'a table was split');
	run_commands('Roles', %variables, BACKUP => "$store/$folder->{shop}");
	run_commands('Format parallel', %variables, BACKUP => "$store/$folder->{shop}", DATABASE => 'shop');
	run_commands('Format custom', %variables, BACKUP => "$store/" . $folder->{'Wüste "2"'}, DATABASE => 'Wüste "2"');
	like(run_commands('Owner, grants and settings of the database', %variables, BACKUP => "$store/$folder->{shop}"),
		qr/"owner":"owner_of_shop"/, 'the manifest says whose it is');
	my $after = cluster_as_text($fresh, 'shop', 'Wüste "2"');
	is($after->{globals}, $before->{globals}, 'by hand: roles and tablespace are equal');
	for my $database ('shop', 'Wüste "2"')
	{
		my @differ = grep { !/DATABASE|^--|^SET |set_config|^.connect/ } lines_that_differ($before->{$database}, $after->{$database});
		is(join("\n", @differ), '', "by hand: $database is equal, but for what the manifest has");
	}
	$fresh->stop;
}

SKIP:
{
	skip s3_missing(), 1 if s3_missing();
	my %settings = s3_settings("t046-$$");
	my $storage = "$settings{'pgbackup.storage'}?endpoint=$settings{'pgbackup.s3_endpoint'}"
	  . "&region=$settings{'pgbackup.s3_region'}&credentials_file=$settings{'pgbackup.s3_credentials_file'}";
	drill('in_s3', $storage, 'pgbackup.storage' => $storage);
	$fresh->stop;
}

done_testing();
