# The command line, where there is no server with pgbackup any more: list, show, fetch, restore, backup,
# verify; and damage of every kind is named and stopped.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use File::Basename qw(dirname);
use File::Copy qw(copy);
use IPC::Run;
use JSON::PP;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use S3;
use Test::More;

# A server with pgbackup makes two backups, and is gone.
my $source = new_cluster('source');
my $store = $source->basedir . '/store';
$source->safe_psql('postgres', 'CREATE DATABASE shop');
$source->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
my $custom = start_backup($source, q{'shop', format => 'custom', label => 'first'});
is(finished($source, $custom), 'completed', 'a backup of format custom');
my $parallel = start_backup($source, q{'shop', format => 'parallel'});
is(finished($source, $parallel), 'completed', 'one of format parallel');
my %name = map { $_ => row_of($source, $_)->{file_name} } $custom, $parallel;
my $checksum = row_of($source, $custom)->{checksum};
my $before = database_as_text($source, 'shop');
$source->stop;

# Another one that has never heard of it.
my $node = PostgreSQL::Test::Cluster->new('fresh');
$node->init;
$node->start;
my @storage = ('--storage', "file://$store");
my @server = ('-h', $node->host, '-p', $node->port);

# Runs the program on the storage of the backups, or of other options.
sub cli
{
	my (@arguments) = @_;
	push @arguments, @storage unless grep { /^--storage/ } @arguments;
	return pgbackup($node, @arguments);
}

sub databases { return $node->safe_psql('postgres', q{SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate}) }

# List and show.
my ($status, $out, $err) = cli('list');
is($status, 0, 'list succeeds') or diag($err);
my @rows = map { [ split /\t/ ] } split /\n/, $out;
is_deeply([ map { $_->[0] } @rows ], [ $parallel, $custom ], 'list has the newest first');
is_deeply([ @{ $rows[1] }[ 1, 2, 5, 6, 7 ] ], [ 'shop', 'source', 'custom', 'first', $name{$custom} ], 'with what is worth knowing');
is($rows[1][4], stored_bytes("$store/$name{$custom}"), 'and the bytes stored');
($status, $out) = cli('list', '--json', '--quiet');
my $list = decode_json($out);
is_deeply([ map { $_->{id} } @$list ], [ $parallel, $custom ], 'list --json is JSON');
is($list->[1]{checksum}, $checksum, 'with the checksum that the catalog had');
($status, $out) = cli('list', '--limit', 1);
is(scalar(split /\n/, $out), 1, 'list --limit');
($status, $out, $err) = cli('list', '--database', 'nowhere', '--json');
is("$status $out", "3 []\n", 'a list of nothing has exit status 3');
like($err, qr/error: there is no backup of database "nowhere" in .*\n.*hint: There are backups of database "shop"\.$/m, 'and what there is is named');
($status, $out, $err) = cli('list', '--database', 'Shop');
is("$status $out", '3 ', 'so has a name in another case');
like($err, qr/hint: There are backups of database "shop"; names are case-sensitive\./, 'and the right one is named');
($status, $out, $err) = cli('show', 'latest', '--database', 'SHOP');
is($status, 3, 'also where one backup is asked for');
like($err, qr/hint: There are backups of database "shop"; names are case-sensitive\./, 'with the same hint');
($status, $out) = cli('show', $custom);
like($out, qr/^database\tshop$/m, 'show tells what the backup is');
like($out, qr/^database\.dump\.zst\t\d+\t\d+/m, 'and its objects');
($status, $out) = cli('show', $name{$parallel}, '--json');
is(decode_json($out)->{manifest}{backup}{format}, 'parallel', 'show --json has the manifest');

# What is asked for wrongly.
is_deeply([ (cli('show', 999))[0] ], [3], 'exit status 3 for a backup that is not there');
($status, undef, $err) = cli('show', 'latest', '--database', 'nowhere');
is($status, 3, 'also for the latest of no database');
like($err, qr/^pgbackup: error: there is no backup of database "nowhere" in file:.*\npgbackup: hint: /m, 'in the words of PostgreSQL\'s programs');
is((cli('restore', $custom))[0], 2, 'exit status 2 for a missing argument');
is((cli('show', $custom, '--storage', 'ftp://x'))[0], 2, 'and for a wrong one');
my ($owned) = $name{$custom} =~ m{^([^/]+)/};  # the folder of the cluster
for my $command ([ 'list' ], [ 'show', 'latest' ], [ 'restore', '--all', @server ])
{
	($status, $out, $err) = cli(@$command, '--storage', "file://$store/none");
	is($status, 3, "$command->[0]: exit status 3 for a directory that does not exist");
	like($err, qr{error: directory "\Q$store\E/none" does not exist\n.*detail: \Q$store\E contains .*"\Q$owned\E"\.\n}, 'and what is there is named');
}
($status, $out, $err) = cli('list', '--storage', "file://$store/" . ucfirst $owned);
is($status, 3, 'so has a directory in another case');
like($err, qr/hint: Perhaps you meant "\Q$owned\E";/, 'and the right one is named');
mkdir "$store/empty" or die;
is_deeply([ (cli('list', '--storage', "file://$store/empty"))[ 0, 1 ] ], [ 0, '' ], 'a directory in which there is nothing is empty');
rmdir "$store/empty" or die;
($status, undef, $err) = cli('restore', $custom, '--target-database', 'x', '-d', 'password=hunter2 dbname=postgres');
is($status, 2, 'a password in an argument is refused');
unlike($err, qr/hunter2/, 'and not repeated');

# Fetch.
my $folder = $node->basedir . '/fetched';
($status, undef, $err) = cli('fetch', $custom, '-o', $folder);
is($status, 0, 'fetch succeeds') or diag($err);
is_deeply([ storage_files($folder) ], [ backup_files("$store/$name{$custom}") ], 'it brings all objects');
ok((grep { read_file("$folder/$_") ne read_file("$store/$name{$custom}/$_") } storage_files($folder)) == 0, 'as they are');
($status, undef, $err) = cli('fetch', $custom, '-o', $folder);
is($status, 1, 'a directory that holds something is left alone');
like($err, qr/is not empty/, 'with the reason');
my $plain = $node->basedir . '/plain';
($status) = cli('fetch', $custom, '-o', $plain, '--decompress');
is_deeply([ storage_files($plain) ], [ 'database.dump', 'globals.sql', 'manifest.json' ], 'fetch --decompress leaves whole files');
$node->command_ok([ 'pg_restore', '--list', "$plain/database.dump" ], 'which pg_restore reads');

# Restore.
($status, undef, $err) = cli('restore', $custom, '--target-database', 'shop', @server);
is($status, 3, 'missing roles are noticed') or diag($err);
like($err, qr/roles are missing here: "shop_owner", "shop_reader".*hint: .*CREATE ROLE "shop_owner";.*--create-roles/s,
	'and what to do is said');
($status, $out, $err) = cli('restore', $custom, '--target-database', 'shop', '--create-roles', '--dry-run', @server);
is($status, 0, 'a dry run of a restore that would make them') or diag($err);
like($out, qr/nothing was changed: .*\nDatabase "shop" would be made\.\nRoles would be created: "shop_owner", "shop_reader"\./,
	'says so');
is(databases(), 'postgres', 'nothing was made');
$node->command_ok([ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-f', "$plain/globals.sql" ], 'globals.sql makes the roles');
($status, $out, $err) = cli('restore', 'latest', '--database', 'shop', '--target-database', 'shop', @server);
is($status, 0, 'a restore of the latest backup') or diag($err);
ok(database_as_text($node, 'shop') eq $before, 'it is equal');
like($out, qr/^\Q$name{$parallel}\E is restored as database "shop"$/, 'it says so');
$err =~ s/^pgbackup: (warning|hint): .*\n//mg;
like($err, qr/\A(pgbackup: [a-z -]+\n)+\z/, 'progress is a line for each phase where there is no terminal');
{
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	($status, $out, $err) = cli('restore', $custom, '--target-database', 'again', '-q', '-d', 'dbname=postgres application_name=x');
	is("$status $out$err", '0 ', 'the environment names the server, --quiet says nothing');
	ok(database_as_text($node, 'again') eq $before, 'it is equal, too');
	($status, $out) = cli('restore', $custom, '--target-database', 'part', '--table', 'stock.items', '--json', '-q');
	is(decode_json($out)->{event}, 'completed', 'a part, with the outcome as JSON');
	is($node->safe_psql('part', 'SELECT count(*) FROM stock.items'), 300, 'it is there');
	($status, $out, $err) = cli('restore', $custom, '--target-database', 'shop', '--json');
	is($status, 1, 'a database that holds something is refused');
	is(decode_json($out)->{kind}, 'already_exists', 'as JSON');
	like($err, qr/database "shop" is not empty/, 'and in words');
}
is(databases(), 'again part postgres shop', 'no side database is left');

# Backup.
my $own = $node->basedir . '/own';
($status, $out, $err) = cli('backup', '--storage', "file://$own", @server, '-d', 'shop', '--label', 'by hand', '--format', 'parallel', '--json', '-q');
is($status, 0, 'a backup of a server without the extension') or diag($err);
my $made = decode_json($out);
is($made->{event}, 'completed', 'with its outcome');
is($made->{file_size}, stored_bytes("$own/$made->{manifest}{backup}{file_name}"), 'and size');
like($made->{manifest}{backup}{file_name}, qr{^fresh-[0-9a-f]{8}/shop/backup_shop_[\d_-]+_\d{13}$}, 'its name follows the template');
is($made->{manifest}{cluster}{system_identifier}, $node->safe_psql('postgres', 'SELECT system_identifier FROM pg_control_system()'),
	'it knows where it comes from');
($status) = cli('restore', 'latest', '--storage', "file://$own", @server, '--target-database', 'own');
is($status, 0, 'it is restored');
ok(database_as_text($node, 'own') eq $before, 'equal');
($status, undef, $err) = cli('backup', '--storage', "file://$own", @server, '-d', 'nowhere');
is($status, 3, 'exit status 3 for a database that is not there') or diag($err);
is((cli('backup', '--storage', "file://$own", @server))[0], 2, 'a backup has to say of which database');
is(scalar(split /\n/, (cli('list', '--storage', "file://$own"))[1]), 1, 'neither left anything');

# Check.
($status, $out) = cli('check', @server);
is($status, 0, 'check finds nothing wrong') or diag($out);
like($out, qr/^connection\tok\t/m, 'it has tried the server');
like($out, qr/^delete\tok/m, 'and the storage') or diag($out);

# What is installed beside it.
my $installed = dirname(dirname(pgbackup_path($node))) . '/share/bash-completion/completions/pgbackup';
sub completions
{
	my (@words) = @_;
	my $script = '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pgbackup; printf "%s\n" "${COMPREPLY[@]}"';
	my $words = '';
	IPC::Run::run([ 'bash', '-c', $script, 'bash', $installed, pgbackup_path($node), @words ], '>', \$words) or die 'bash failed';
	return join ' ', sort split /\n/, $words;
}
is(completions('re'), 'restore', 'completion of commands');
is(completions('verify', '--le'), '--level', 'of options');
is(completions('verify', '--level', 'a'), 'archive', 'and of values');
ok(-s $node->config_data('--mandir') . '/man1/pgbackup.1', 'the manual page is there');

# Ctrl-C, in a backup and in a restore.
my $slow = slow_programs($node);
my $run = IPC::Run::start([ pgbackup_path($node), 'backup', '--storage', "file://$own", @server, '-d', 'shop', '--format', 'parallel',
		'--bin-directory', $slow, '-q' ], '<', \'', '>', \$out, '2>', \$err);
wait_for_file("$slow/reached");
$run->signal('INT');
$run->finish;
is($run->result(0), 130, 'Ctrl-C ends a backup with exit status 130');
like($err, qr/^pgbackup: interrupted$/m, 'it says so');
is(scalar(() = storage_files($own)), 5, 'and removes what it had stored') or diag(join "\n", storage_files($own));
my $hanging = $node->basedir . '/hanging';
mkdir $hanging or die;
my $bin = $node->config_data('--bindir');
PostgreSQL::Test::Utils::append_to_file("$hanging/pg_restore",
	"#!/bin/bash\ncase \$1 in --version) exec $bin/pg_restore --version ;; esac\ntouch $hanging/reached\nexec tail -f /dev/null\n");
chmod 0755, "$hanging/pg_restore";
$run = IPC::Run::start([ pgbackup_path($node), 'restore', $custom, @storage, @server, '--target-database', 'never', '--bin-directory', $hanging ],
	'<', \'', '>', \$out, '2>', \$err);
wait_for_file("$hanging/reached");
like(databases(), qr/never__restore_/, 'a restore fills a side database');
$run->signal('TERM');
$run->finish;
is($run->result(0), 130, 'it can be interrupted, too');
is(databases(), 'again own part postgres shop', 'the side database is gone');

# Verify, and damage.
for my $id ($custom, $parallel)
{
	for my $level ('checksum', 'archive', 'restore')
	{
		($status, $out, $err) = cli('verify', $id, '--level', $level, @server);
		is($status, 0, "backup $id is proved: $level") or diag($err);
	}
}

is(databases(), 'again own part postgres shop', 'no scratch database is left');

# Copies the store, damages the copy, and has everybody notice.
my $copies = 0;
sub damage
{
	my ($title, $id, $object, $how) = @_;
	my $damaged = $node->basedir . '/damaged' . ++$copies;
	system('cp', '-a', $store, $damaged) == 0 or die;
	my $at = "$damaged/$name{$id}";
	$how->($at);
	my @damaged = ('--storage', "file://$damaged");
	for my $command (
		[ 'verify', $id ],
		[ 'verify', $id, '--level', 'archive' ],
		[ 'verify', $id, '--level', 'restore', @server ],
		[ 'fetch', $id, '-o', "$damaged.fetched" ],
		[ 'restore', $id, '--target-database', 'damaged', @server ])
	{
		my ($exit, undef, $said) = cli(@$command, @damaged);
		is($exit, 4, "$title: $command->[0] stops with exit status 4") or diag($said);
		like($said, qr/error: .*\Q$object\E/, 'and names it');
	}
	is(join(' ', storage_files("$damaged.fetched")), '', 'nothing was fetched');
	is(databases(), 'again own part postgres shop', 'nothing was restored');
	return "$damaged";
}

damage('a flipped bit', $custom, 'database.dump.zst', sub { flip_bit("$_[0]/database.dump.zst") });
damage('a flipped bit in rows', $parallel, 'data-000.dump.zst', sub { flip_bit("$_[0]/data-000.dump.zst") });
damage('a byte too few', $parallel, 'schema.dump.zst', sub { cut_byte("$_[0]/schema.dump.zst") });
damage('two objects swapped', $parallel, '.dump.zst',
	sub { swap_files("$_[0]/schema.dump.zst", "$_[0]/data-000.dump.zst") });
damage('an object missing', $parallel, 'data-000.dump.zst', sub { unlink "$_[0]/data-000.dump.zst" or die });
my $other = damage('the manifest of another backup', $parallel, $name{$parallel},
	sub { copy("$store/$name{$custom}/manifest.json", "$_[0]/manifest.json") or die });
($status, $out, $err) = cli('list', '--storage', "file://$other");
is($status, 4, 'list says which manifest cannot be read');
like($err, qr/\Q$name{$parallel}\E" is that of another backup/, 'by name');
is(scalar(split /\n/, $out), 1, 'and lists the others');

# S3.
SKIP:
{
	skip s3_missing(), 5 if s3_missing();
	my %settings = s3_settings("t031-$$");
	my @s3 = map { my $option = s/^pgbackup[.]/--/r =~ tr/_/-/r; ($option, $settings{$_}) } sort keys %settings;
	my @reading = map { @$_ } grep { $_->[0] ne '--s3-part-size' } map { [ @s3[ 2 * $_, 2 * $_ + 1 ] ] } 0 .. $#s3 / 2;
	($status, undef, $err) = cli('backup', @s3, @server, '-d', 'shop');
	is($status, 0, 'a backup to S3') or diag($err);
	($status, $out) = cli('list', @reading);
	is(scalar(split /\n/, $out), 1, 'is listed');
	is((cli('verify', 'latest', @reading, '--level', 'archive'))[0], 0, 'is good');
	is((cli('restore', 'latest', @reading, @server, '--target-database', 's3'))[0], 0, 'and is restored');
	ok(database_as_text($node, 's3') eq $before, 'equal');
}

$node->stop;
done_testing();
