# Encrypted backups: every layout restores equal, nothing in the storage is readable, the stock tools
# open it, and whoever has no key or the wrong one is told so.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use IPC::Run;
use JSON::PP;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('encryption', 'pgbackup.split_table_size' => '1MB', 'pgbackup.compression' => 'none');
my $store = $node->basedir . '/store';
my $keys = $node->basedir;
my @secrets = qw(secretschema secrettable secretrole secretcolumn secretrow);

$node->safe_psql('postgres', 'CREATE ROLE secretrole; CREATE DATABASE shop OWNER secretrole');
$node->safe_psql('shop', q{
	CREATE SCHEMA secretschema AUTHORIZATION secretrole;
	CREATE TABLE secretschema.secrettable AS SELECT n, 'secretrow ' || n AS secretcolumn, repeat(md5(n::text), 3) AS filler
		FROM generate_series(1, 20000) AS n;
	ALTER TABLE secretschema.secrettable ADD PRIMARY KEY (n);
	ALTER DATABASE shop SET search_path = secretschema, public;
	ALTER ROLE secretrole IN DATABASE shop SET work_mem = '5MB'});
my $source = database_as_text($node, 'shop');

sub keygen
{
	my ($name) = @_;
	my ($status, $out, $err) = pgbackup($node, 'keygen', '-o', "$keys/$name");
	is($status, 0, "keygen makes $name") or diag($err);
	chomp $out;
	return $out;
}

# The files of a folder that hold one of the words, or all words that are found.
sub words_in
{
	my ($folder) = @_;
	my %found;
	for my $file (storage_files($folder))
	{
		my $bytes = read_file("$folder/$file");
		for my $word (@secrets) { $found{$word} = 1 if index($bytes, $word) >= 0 }
	}
	return join ' ', grep { $found{$_} } @secrets;
}

sub folder_of { return "$store/" . row_of($node, $_[0])->{file_name} }

sub backup
{
	my ($arguments, $title) = @_;
	my $id = start_backup($node, $arguments);
	is(finished($node, $id), 'completed', "$title: the backup is complete") or diag(explain(row_of($node, $id)));
	return $id;
}

sub restores_equal
{
	my ($id, $title) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "CALL pgbackup.run_restore($id, 'back')");
	is($code, 0, "$title: the restore is complete") or diag($err);
	ok(database_as_text($node, 'back') eq $source, "$title: and equal");
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS back');
	return;
}

sub restore_fails
{
	my ($id, $says, $title) = @_;
	my $restore = start_restore($node, "$id, 'back'");
	is(finished($node, $restore), 'failed', "$title: the restore fails");
	my $row = row_of($node, $restore, 'restores');
	like("$row->{message} | $row->{detail} | $row->{hint}", $says, "$title: and says why");
	return;
}

my $recipient = keygen('key');
my $other = keygen('other');
like($recipient, qr/^age1[0-9a-z]{58}$/, 'the public key is printed');
is((stat "$keys/key")[2] & 0777, 0600, 'the secret one is nobody else\'s');
my ($status, $out, $err) = pgbackup($node, 'keygen', '-o', "$keys/key");
is($status, 1, 'a file that exists is left alone');
like($err, qr/exists/, 'and named');

# What is looked for is there without encryption.
my %clear;
for my $format (qw(custom parallel plain))
{
	$clear{$format} = backup("'shop', format => '$format'", "in clear, $format");
	is(words_in(folder_of($clear{$format})), "@secrets", "in clear, $format: the words can be read");
}
$node->safe_psql('postgres', "SELECT pgbackup.delete($_, delete_objects => true)") for values %clear;
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die 'backups in clear stay';

restart_settings($node, 'pgbackup.encryption_recipients' => "$recipient,$other", 'pgbackup.identity_file' => "$keys/key");
my %id;
for my $format (qw(custom parallel plain))
{
	$id{$format} = backup("'shop', format => '$format'", $format);
	my $folder = folder_of($id{$format});
	is_deeply([ grep { !/\.age$/ } backup_files($folder) ], ['manifest.json'], "$format: all else is encrypted");
	my $manifest = decode_json(read_file("$folder/manifest.json"));
	is_deeply($manifest->{encryption}, { scheme => 'age-x25519', recipients => [ $recipient, $other ] },
		"$format: the manifest says for whom");
	restores_equal($id{$format}, $format);
}
is(words_in($store), '', 'nothing in the storage can be read');
ok((grep { /data-00[12].*\.sql\.age$/ } storage_files(folder_of($id{parallel}))) >= 2, 'the table was split');

# What is compressed is encrypted behind that; a part of it can be restored, and it is proved.
my $packed = backup(q{'shop', format => 'parallel', compression => 'zstd:3'}, 'compressed');
restores_equal($packed, 'compressed');
($status, $out, $err) = $node->psql('postgres', "CALL pgbackup.run_restore($packed, 'back', tables => '{secretschema.secrettable}')");
is($status, 0, 'one table is restored') or diag($err);
is($node->safe_psql('back', 'SELECT count(*) FROM secretschema.secrettable'), 20000, 'with its rows');
$node->safe_psql('postgres', 'DROP DATABASE back');
for my $level (qw(archive restore))
{
	my $run = $node->safe_psql('postgres', "SELECT pgbackup.verify($packed, '$level')");
	is(finished($node, $run), 'completed', "it is proved, level $level") or diag(explain(row_of($node, $run, 'restores')));
}

# With the stock tools alone.
SKIP:
{
	skip 'age or zstd is not here', 2 if system('command -v age >/dev/null && command -v zstd >/dev/null') != 0;
	my $id = backup(q{'shop', format => 'custom', compression => 'zstd:3'}, 'for the stock tools');
	my $object = folder_of($id) . '/database.dump.zst.age';
	$node->safe_psql('postgres', 'CREATE DATABASE back TEMPLATE template0 OWNER secretrole');
	IPC::Run::run([ 'bash', '-o', 'pipefail', '-c', 'age -d -i "$1" "$2" | zstd -d | "$3" --exit-on-error -d "$4"', 'bash',
			"$keys/other", $object, $node->installed_command('pg_restore'), $node->connstr('back') ], '2>', \$err);
	is($?, 0, 'age, zstd and pg_restore bring it back') or diag($err);
	ok(database_as_text($node, 'back') eq $source, 'equal');
	$node->safe_psql('postgres', 'DROP DATABASE back');
}

sub check_row { return $node->safe_psql('postgres', q{SELECT status || ': ' || detail FROM pgbackup.check() WHERE item = 'encryption'}) }
like(check_row(), qr/^ok: for age1.*can be decrypted here/, 'check() tries it');

# The server that makes the backups needs no key to them.
restart_settings($node, 'pgbackup.identity_file' => '');
like(check_row(), qr/^ok: .*no identity here/, 'check() says that nothing here decrypts');
my $blind = backup(q{'shop', format => 'custom'}, 'with public keys alone');
restore_fails($blind, qr/encrypted and no identity is given \| .*\Q$recipient\E.* \| Set pgbackup\.identity_file/, 'no identity');
my $run = $node->safe_psql('postgres', "SELECT pgbackup.verify($blind, 'checksum')");
is(finished($node, $run), 'completed', 'its stored bytes can be verified without one');

# Every kind of bad identity has words of its own.
my $stranger = keygen('stranger');
restart_settings($node, 'pgbackup.identity_file' => "$keys/stranger");
restore_fails($blind, qr/"contents\.json\.zst\.age" cannot be decrypted with the identities in "[^"]*stranger" \| .*\Q$recipient\E/,
	'a wrong identity');
like(check_row(), qr/^error: .*pgbackup\.identity_file cannot decrypt/, 'check() finds that before');
chmod 0640, "$keys/stranger";
restore_fails($blind, qr/readable by others.*chmod 0600/, 'an open identity');
SKIP:
{
	skip 'root reads everything', 2 if $> == 0;
	chmod 0000, "$keys/stranger";
	restore_fails($blind, qr/Permission denied/, 'an unreadable identity');
}
chmod 0600, "$keys/stranger";
PostgreSQL::Test::Utils::append_to_file("$keys/empty", "# nothing\n");
chmod 0600, "$keys/empty";
restart_settings($node, 'pgbackup.identity_file' => "$keys/empty");
restore_fails($blind, qr/holds no identity/, 'no identity in it');
restart_settings($node, 'pgbackup.identity_file' => "$keys/nowhere");
restore_fails($blind, qr/does not exist/, 'a missing file');
restart_settings($node, 'pgbackup.identity_file' => "$keys/key");

# Damage is named.
my $object = folder_of($blind) . '/database.dump.age';
flip_bit($object);
restore_fails($blind, qr/"[^"]*database\.dump\.age" is damaged/, 'a flipped bit');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname LIKE 'back%'}), 0, 'nothing is left of all that');

# On the command line.
my $folder = folder_of($packed);
($status, $out, $err) = pgbackup($node, 'fetch', $packed, '-s', "file://$store", '-o', "$keys/fetched", '--decompress', '-i', "$keys/key");
is($status, 0, 'fetch decrypts') or diag($err);
is_deeply([ grep { /age|zst/ } storage_files("$keys/fetched") ], [], 'all of it');
($status, $out, $err) = pgbackup($node, 'verify', $packed, '-s', "file://$store", '--level', 'archive');
isnt($status, 0, 'verify needs the key');
like($err, qr/Set --identity/, 'and says how it is named');

# Taken over with the key, the catalog has what is not in clear; without, the rest.
sub imported_row
{
	my ($id) = @_;
	$node->safe_psql('postgres', "SELECT pgbackup.delete($id); SELECT pgbackup.import()");
	return $node->safe_psql('postgres', "SELECT created_by, options->'tables', manifest FROM pgbackup.backups WHERE id = $id");
}
my $part = backup(q{'shop', tables => '{secretschema.secrettable}', label => 'a part'}, 'of a part');
my $row = $node->safe_psql('postgres', "SELECT created_by, options->'tables', manifest FROM pgbackup.backups WHERE id = $part");
is(imported_row($part), $row, 'an import with the key knows all of an encrypted backup');
restart_settings($node, 'pgbackup.identity_file' => '');
unlike(imported_row($part), qr/secret/, 'one without the key knows what is in clear');
restart_settings($node, 'pgbackup.identity_file' => "$keys/key");
like(imported_row($part), qr/secrettable/, 'until it is imported anew with the key');

# A passphrase.
PostgreSQL::Test::Utils::append_to_file("$keys/passphrase", "open sesame\n");
chmod 0600, "$keys/passphrase";
restart_settings($node, 'pgbackup.encryption_recipients' => '', 'pgbackup.passphrase_file' => "$keys/passphrase");
my $phrase = backup(q{'shop', format => 'custom'}, 'with a passphrase');
restores_equal($phrase, 'with a passphrase');
restart_settings($node, 'pgbackup.passphrase_file' => '');
restore_fails($phrase, qr/no passphrase is given.*pgbackup\.passphrase_file/, 'no passphrase');
is(words_in($store), '', 'still nothing in the storage can be read');

$node->stop;
done_testing();
