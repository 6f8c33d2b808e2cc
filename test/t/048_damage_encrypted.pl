# Damage to encrypted backups: whatever happened to an object, verify, restore and the command line name it and
# stop, and nothing is restored. Every kind of missing key has words of its own on the command line. Nothing in
# the storage in clear names what is in the database.
use strict;
use warnings;

use File::Copy qw(copy);
use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('damage', 'pgbackup.split_table_size' => '1MB');
my $store = $node->basedir . '/store';
my $key = $node->basedir . '/key';
my @server = ('-h', $node->host, '-p', $node->port);
my @storage = ('-s', "file://$store");

sub keygen
{
	my ($file) = @_;
	my ($status, $recipient, $err) = pgbackup($node, 'keygen', '-o', $file);
	is($status, 0, 'a key') or diag($err);
	chomp $recipient;
	return $recipient;
}
restart_settings($node, 'pgbackup.encryption_recipients' => keygen($key), 'pgbackup.identity_file' => $key);

# Every name in it is one that stands nowhere else.
my @names = qw(zebraschema zebratable zebracolumn zebrarole zebramember zebraindex zebratype zebrafunction zebraview zebrarow zebracomment);
$node->safe_psql('postgres', q{CREATE ROLE zebrarole; CREATE ROLE zebramember LOGIN; GRANT zebrarole TO zebramember; CREATE DATABASE shop OWNER zebrarole});
$node->safe_psql('shop', q{
	CREATE SCHEMA zebraschema AUTHORIZATION zebrarole;
	CREATE TYPE zebraschema.zebratype AS ENUM ('a');
	CREATE TABLE zebraschema.zebratable AS SELECT n AS zebracolumn, 'zebrarow ' || md5(n::text) AS note FROM generate_series(1, 40000) AS n;
	CREATE INDEX zebraindex ON zebraschema.zebratable (zebracolumn);
	CREATE FUNCTION zebraschema.zebrafunction() RETURNS int LANGUAGE sql AS 'SELECT 1';
	CREATE VIEW zebraschema.zebraview AS SELECT 1 AS one;
	COMMENT ON TABLE zebraschema.zebratable IS 'zebracomment';
	ALTER ROLE zebramember IN DATABASE shop SET search_path = zebraschema;
	GRANT SELECT ON zebraschema.zebratable TO zebramember});

sub backup
{
	my ($arguments) = @_;
	my $id = start_backup($node, $arguments);
	is(finished($node, $id), 'completed', "a backup: $arguments") or diag(explain(row_of($node, $id)));
	return $id;
}
my %id;
$id{$_} = backup("'shop', format => '$_'") for 'custom', 'parallel', 'plain';
my %folder = map { $_ => row_of($node, $id{$_})->{file_name} } keys %id;
# A selection names things, too.
backup(q{'shop', compression => 'none', tables => '{zebraschema.zebratable}'});
backup(q{'shop', compression => 'none', schemas => '{zebraschema}', exclude_table_data => '{zebraschema.zebratable}'});
backup("'shop', compression => '$_'") for 'gzip', 'lz4';

# In clear the names are readable: what is looked for can be found.
restart_settings($node, 'pgbackup.encryption_recipients' => '', 'pgbackup.name_template' => 'clear/{id}');
my $clear = backup(q{'shop', format => 'plain', compression => 'none'});
sub named_in
{
	my (@files) = @_;
	my %found;
	for my $file (@files)
	{
		my $bytes = $file . read_file("$store/$file");
		$found{$_}{$file} = 1 for grep { index(lc $bytes, $_) >= 0 } @names;
	}
	return \%found;
}
is_deeply([ sort keys %{ named_in(grep { m{^clear/} } storage_files($store)) } ], [ sort @names ], 'in clear every name is found');
my @encrypted = grep { !m{^clear/} } storage_files($store);
cmp_ok(scalar @encrypted, '>=', 20, 'encrypted objects');
is_deeply(named_in(@encrypted), {}, 'no encrypted backup has a name in clear, in an object or in its name');

sub databases { return $node->safe_psql('postgres', q{SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate}) }
my $saved = $node->basedir . '/saved';
system_or_bail('cp', '-a', $store, $saved);

# What everybody says of a damage.
sub damage
{
	my ($title, $format, $object, $how) = @_;
	my $at = "$store/$folder{$format}";
	$how->($at);
	for my $run (
		[ 'verify', "$id{$format}" ],
		[ 'verify', "$id{$format}, 'restore'" ],
		[ 'restore', "$id{$format}, 'never'" ])
	{
		my ($function, $arguments) = @$run;
		my $number = $node->safe_psql('postgres', "SELECT pgbackup.$function($arguments)");
		is(finished($node, $number), 'failed', "$title: $function($arguments) fails");
		my $row = row_of($node, $number, 'restores');
		like("$row->{message} | " . ($row->{detail} // ''), qr/\Q$object\E/, 'and names it');
		is($row->{sqlstate}, 'XX001', 'as damage');
	}
	for my $command (
		[ 'verify', $id{$format} ],
		[ 'verify', $id{$format}, '--level', 'archive' ],
		[ 'restore', $id{$format}, '--target-database', 'never', @server ])
	{
		my ($status, undef, $err) = pgbackup($node, @$command, @storage, '-i', $key);
		is($status, 4, "$title: pgbackup $command->[0] stops with exit status 4") or diag($err);
		like($err, qr/\Q$object\E/, 'and names it');
	}
	is(databases(), 'postgres shop', "$title: nothing is restored");
	system_or_bail('rm', '-rf', $at);
	system_or_bail('cp', '-a', "$saved/$folder{$format}", $at);
	return;
}

damage('a flipped bit', 'custom', 'database.dump.zst.age', sub { flip_bit("$_[0]/database.dump.zst.age") });
damage('a flipped bit in the hidden manifest', 'custom', 'contents.json.zst.age', sub { flip_bit("$_[0]/contents.json.zst.age") });
damage('a flipped bit in a range of rows', 'parallel', 'data-001.sql.zst.age', sub { flip_bit("$_[0]/data-001.sql.zst.age") });
damage('a byte too few', 'parallel', 'schema.dump.zst.age', sub { cut_byte("$_[0]/schema.dump.zst.age") });
damage('two objects swapped', 'parallel', 'data-00', sub { swap_files("$_[0]/data-001.sql.zst.age", "$_[0]/data-002.sql.zst.age") });
damage('an object missing', 'parallel', 'data-002.sql.zst.age', sub { unlink "$_[0]/data-002.sql.zst.age" or die });
damage('the hidden manifest missing', 'plain', 'contents.json.zst.age', sub { unlink "$_[0]/contents.json.zst.age" or die });
damage('the manifest of another backup', 'parallel', $folder{parallel},
	sub { copy("$store/$folder{custom}/manifest.json", "$_[0]/manifest.json") or die });
damage('the hidden manifest of another backup', 'parallel', 'contents.json.zst.age',
	sub { copy("$store/$folder{custom}/contents.json.zst.age", "$_[0]/contents.json.zst.age") or die });
my $whole = start_restore($node, "$id{parallel}, 'back'");
is(finished($node, $whole), 'completed', 'without damage it is restored');
$node->safe_psql('postgres', 'DROP DATABASE back');

# Keys that do not open it, on the command line.
sub refused
{
	my ($title, $says, @key) = @_;
	my ($status, undef, $err) = pgbackup($node, 'restore', $id{custom}, '--target-database', 'never', @storage, @server, @key);
	isnt($status, 0, "$title: a restore stops");
	like($err, $says, 'and says why');
	is(databases(), 'postgres shop', 'nothing is restored');
	return;
}
refused('no identity', qr/encrypted and no identity is given.*--identity/s);
keygen("$key.other");
refused('a wrong identity', qr/cannot be decrypted with the identities in "[^"]*key\.other"/, '-i', "$key.other");
chmod 0644, "$key.other";
refused('an identity readable by others', qr/readable by others.*chmod 0600/s, '-i', "$key.other");
refused('an identity that is not there', qr/key\.gone": it does not exist/, '-i', "$key.gone");
SKIP:
{
	skip 'root reads everything', 3 if $> == 0;
	chmod 0000, "$key.other";
	refused('an unreadable identity', qr/Permission denied/, '-i', "$key.other");
}

$node->stop;
done_testing();
