# Somebody else can write to the storage. What they write is refused or skipped, never obeyed: content that
# unpacks to more than its manifest records, manifests that are wrong in any way beside good ones, ids and
# times far ahead, texts that steer a terminal. With a manifest key, what they write is nothing at all.
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use IPC::Run;
use JSON::PP;
use LanedBackup;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $json = JSON::PP->new->utf8->canonical;
my $node = new_cluster('victim');
my $store = $node->basedir . '/store';
my @storage = ('--storage', "file://$store");
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', "CREATE TABLE t AS SELECT n, 'row ' || n AS text FROM generate_series(1, 1000) AS n");
my $source = database_as_text($node, 'shop');

sub folder_of { return "$store/" . row_of($node, $_[0])->{file_name} }

sub write_text
{
	my ($file, $text) = @_;
	open my $handle, '>:raw', $file or die "$file: $!";
	print {$handle} $text;
	close $handle or die "$file: $!";
	return;
}

sub backup
{
	my ($arguments, $title) = @_;
	my $id = start_backup($node, $arguments);
	is(finished($node, $id), 'completed', $title) or diag(explain(row_of($node, $id)));
	return $id;
}

sub said
{
	my ($row) = @_;
	return join ' | ', map { $row->{$_} // '' } qw(message detail hint);
}

# Bombs: 100 MB of zeros in a few kilobytes, of which the manifest says that they are 1000 bytes.
my $zeros = $node->basedir . '/zeros.zst';
IPC::Run::run([ 'head', '-c', '100M', '/dev/zero' ], '|', [ 'zstd', '-q', '-c' ], '>', $zeros) or die 'no bomb';
my $bomb = read_file($zeros);
cmp_ok(length $bomb, '<', 20000, 'a bomb is small');
my %id;
for my $format (qw(custom parallel plain))
{
	my $id = $id{$format} = backup("'shop', format => '$format'", "$format: a backup");
	my $folder = folder_of($id);
	my $manifest = read_manifest($folder);
	my $whole = read_file("$folder/manifest.json");
	my $name = { custom => 'database.dump.zst', parallel => 'data-000.dump.zst', plain => 'database.sql.zst' }->{$format};
	my $content = read_file("$folder/$name");
	my $object = object_of($manifest, $name);
	$object->{raw_size} = 1000;
	$object->{size} = length $bomb;
	$object->{segments} = [ { name => $name, size => length $bomb, sha256 => sha256_hex($bomb) } ];
	write_text("$folder/$name", $bomb);
	write_manifest($node, $id, $folder, $manifest);
	for my $level (qw(checksum archive restore))
	{
		my $run = $node->safe_psql('postgres', "SELECT pgbackup.verify($id, '$level')");
		is(finished($node, $run), 'failed', "$format: verify, $level: a bomb is no good backup");
		like(said(row_of($node, $run, 'restores')), qr/larger than the 1000 bytes that the manifest records/, 'and the reason is given');
	}
	my $run = start_restore($node, "$id, 'back'");
	is(finished($node, $run), 'failed', "$format: nor is it restored");
	like(said(row_of($node, $run, 'restores')), qr/larger than the 1000 bytes that the manifest records/, 'for the same reason');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE NOT datistemplate}), 2, 'no database is left');
	my $to = $node->basedir . "/fetched_$format";
	my ($status, $out, $err) = pgbackup($node, 'fetch', $id, @storage, '--decompress', '-o', $to);
	is($status, 4, "$format: fetch calls it damaged");
	like($err, qr/larger than the 1000 bytes/, 'and says why');
	cmp_ok(stored_bytes($to), '<', 2000, 'nothing of it is left');
	# Less than recorded is no better.
	$object->{raw_size} = 1 << 40;
	write_manifest($node, $id, $folder, $manifest);
	$run = $node->safe_psql('postgres', "SELECT pgbackup.verify($id)");
	is(finished($node, $run), 'failed', "$format: content that is too small is not good either");
	like(said(row_of($node, $run, 'restores')), qr/Its content has 104857600 bytes, the manifest records 1099511627776/, 'and both sizes are named');
	write_text("$folder/$name", $content);
	write_text("$folder/manifest.json", $whole);
	$node->safe_psql('postgres', "UPDATE pgbackup.backups SET checksum = '" . sha256_hex($whole) . "' WHERE id = $id");
}

# Manifests that others wrote, beside these three.
my $good = folder_of($id{custom});
sub plant
{
	my ($leaf, $change) = @_;
	my ($folder) = map { "$_/$leaf" } grep { !/pgbackup-instances/ } glob "$store/*";
	mkdir $folder or die "$folder: $!";
	my $manifest = read_manifest($good);
	$manifest->{backup}{file_name} = substr($folder, length($store) + 1);
	$manifest->{backup}{started_at} =~ s/^\d+/2021/;
	$manifest->{backup}{finished_at} =~ s/^\d+/2021/;
	$change->($manifest);
	my $text = $json->encode($manifest);
	write_text("$folder/manifest.json", $text);
	return $folder;
}
my $escape = "\x1b[31mred\x{9b}2J\x{202e}end";
my $broken = plant('broken', sub { });
write_text("$broken/manifest.json", '{"version":1,');
my $locked = plant('locked', sub { });
chmod 0, "$locked/manifest.json" or die;
plant('negative', sub { $_[0]{objects}[0]{raw_size} = -1 });
plant('huge', sub { $_[0]{totals}{database_size} = 9e18; $_[0]{objects}[0]{raw_size} = 9223372036854775807 });
plant('twice', sub { push @{ $_[0]{objects} }, $_[0]{objects}[0] });
plant('outside', sub { $_[0]{objects}[0]{name} = $_[0]{objects}[0]{segments}[0]{name} = '../../../x' });
plant('future', sub { $_[0]{backup}{started_at} = $_[0]{backup}{finished_at} = '2999-01-01T00:00:00Z' });
plant('always', sub { $_[0]{backup}{finished_at} = 'infinity' });
plant('endless', sub { $_[0]{backup}{label} = 'x' x 5000 });
my $unreadable = 9;
plant('long', sub { $_[0]{backup}{database} = 'd' x 70 });
plant('red', sub { $_[0]{backup}{label} = $escape });
plant('labelled', sub { $_[0]{backup}{label} = 'x' x 300 });
my $refused = 3;
plant('ahead', sub { $_[0]{backup}{id} = 900_000_000_000 });
plant('beyond', sub { $_[0]{backup}{id} = 9223372036854775807 });
plant('below', sub { $_[0]{backup}{id} = -5 });

my $new = new_cluster('new', 'pgbackup.storage' => "file://$store");
my ($code, $out, $err) = $new->psql('postgres', 'SELECT pgbackup.import()');
is("$code $out", '0 6', 'import takes the good ones') or diag($err);
like($err, qr/NOTICE: .*6 backups imported, 0 were known, 12 skipped/, 'and counts the others');
is(() = $err =~ /WARNING:/g, $unreadable + $refused, 'each has a warning');
for my $leaf (qw(broken locked negative huge twice outside future always endless long red labelled))
{
	like($err, qr/$leaf/, "which names $leaf");
}
like($err, qr/future" is from the future/, 'a time far ahead is a reason');
like($err, qr/longer than 63 bytes/, 'so is a name that is too long');
unlike($err, qr/ERROR/, 'nothing failed');
is($new->safe_psql('postgres', q{SELECT count(*) FROM pgbackup.backups WHERE id > 1000 OR id < 1}), 0, 'nobody decides how ids go on');
cmp_ok($new->safe_psql('postgres', 'SELECT last_value FROM pgbackup.run_id'), '<', 1000, 'nor where the sequence stands');
is($new->safe_psql('postgres', q{SELECT (pgbackup.latest('shop')).checksum}), row_of($node, $id{plain})->{checksum}, 'the latest is ours');
is(($new->psql('postgres', 'SELECT pgbackup.import()'))[1], 0, 'and again nothing is new');
my $next = start_backup($new, q{'postgres'});
is(finished($new, $next), 'completed', 'backups go on');

is($new->safe_psql('postgres', q{SELECT pgbackup._inventory_entry('"a\u0000"') IS NULL, pgbackup._inventory_entry('"a"')}), 't|"a"',
	'what a database cannot represent is one entry less, not an error');

# The command line.
my $status;
($status, $out, $err) = pgbackup($node, 'list', @storage);
is($status, 4, 'list says that something is damaged');
is(() = $out =~ /\n/g, 11, 'and lists the others') or diag($out);
like($err, qr/error: .*$_/, "and names $_") for qw(broken locked negative huge twice outside always endless);
unlike($out . $err, qr/[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae/, 'nothing steers the terminal');
like($out, qr/\?\[31mred\?2J\?end/, 'what would is shown');
($status, $out, $err) = pgbackup($node, 'list', @storage, '--json');
unlike($out, qr/[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae/, 'nor does JSON');
my ($red) = grep { ($_->{label} // '') =~ /red/ } @{ $json->decode($out) };
is($red->{label}, $escape, 'which has the text as it is');
($status, $out, $err) = pgbackup($node, 'show', 'latest', @storage, '--database', 'shop', '--json');
is($status, 0, 'latest is found beside them') or diag($err);
is($json->decode($out)->{checksum}, row_of($node, $id{plain})->{checksum}, 'and is ours');
like($err, qr/warning: .*broken/, 'with a warning for each that is not');
my $third = new_cluster('third', -extension => 0);
($status, $out, $err) = pgbackup($node, 'restore', '--all', @storage, '-h', $third->host, '-p', $third->port, '--no-statistics', '--cluster', $json->decode($out)->{cluster});
like($err, qr/warning: .*broken/, 'restore --all warns, too');
ok(database_as_text($third, 'shop') eq $source, 'and restores what is good') or diag($err);
chmod 0600, "$locked/manifest.json" or die;

# A key: only who has it can write a manifest that is believed.
my $keys = $node->basedir;
my ($key, $other) = ("$keys/manifest.key", "$keys/other.key");
for my $file ($key, $other)
{
	($status, $out, $err) = pgbackup($node, 'keygen', '--manifest-key', '-o', $file);
	is("$status$out$err", '0', 'keygen makes a manifest key, and prints none of it');
	is((stat $file)[2] & 07777, 0600, 'which nobody else reads');
}
restart_settings($node, 'pgbackup.manifest_key_file' => $key);
like($node->safe_psql('postgres', q{SELECT status, detail FROM pgbackup.check() WHERE item = 'manifest key'}), qr/^ok\|/, 'check() reads the key');
my $signed = backup(q{'shop', format => 'parallel', label => 'signed'}, 'a signed backup');
my $folder = folder_of($signed);
my $text = read_file("$folder/manifest.json");
my ($hex) = grep { !/^#/ } split /\n/, read_file($key);
like($text, qr/,"mac":"[0-9a-f]{64}"\}\n\z/, 'its manifest ends with a MAC');
my $dgst = '';
my $covered = substr($text, 0, -75);
IPC::Run::run([ 'openssl', 'dgst', '-sha256', '-mac', 'HMAC', '-macopt', "hexkey:$hex" ], '<', \$covered, '>', \$dgst) or die 'openssl';
like($dgst, qr/\Q@{[ substr($text, -67, 64) ]}\E/, 'which openssl computes, too');
my @with_key = (@storage, '--manifest-key-file', $key);
($status, $out, $err) = pgbackup($node, 'list', @with_key);
is(() = $out =~ /\n/g, 1, 'with the key, the signed one is all there is');
like($err, qr/has no MAC/, 'the reason for others is given');
like($err, qr/--allow-unsigned/, 'and what to do');
($status, $out, $err) = pgbackup($node, 'list', @with_key, '--allow-unsigned');
is(() = $out =~ /\n/g, 13, 'those without a MAC can be allowed') or diag($out);
for my $command ([ 'verify', 'latest', '--database', 'shop' ], [ 'verify', '--level', 'archive', $signed, '--database', 'shop' ],
	[ 'fetch', 'latest', '--database', 'shop', '-o', "$keys/fetched" ],
	[ 'restore', 'latest', '--database', 'shop', '--target-database', 'signed', '-h', $third->host, '-p', $third->port ])
{
	($status, $out, $err) = pgbackup($node, @$command, @with_key);
	is($status, 0, "$command->[0]: the signed backup is used") or diag($err);
}
ok(database_as_text($third, 'signed') eq $source, 'and restored equal');
is(read_file("$keys/fetched/manifest.json"), $text, 'fetch leaves the MAC where it is');
my $unsigned = row_of($node, $id{custom})->{file_name};
for my $command ([ 'verify' ], [ 'fetch', '-o', "$keys/unsigned" ], [ 'show' ],
	[ 'restore', '--target-database', 'unsigned', '-h', $third->host, '-p', $third->port ])
{
	($status, $out, $err) = pgbackup($node, @$command, $unsigned, @with_key);
	is($status, 1, "$command->[0]: one without a MAC is refused");
	like($err, qr/error: the manifest in .*has no MAC\n.*detail: --manifest-key-file is set.*\n.*--allow-unsigned/s, 'with the reason and the way out');
}
($status, $out, $err) = pgbackup($node, 'verify', $unsigned, @with_key, '--allow-unsigned');
is($status, 0, 'unless it is allowed') or diag($err);

# What others could do to it.
my $name = row_of($node, $signed)->{file_name};
my $change = sub {
	my ($from, $to) = @_;
	my $changed = $text;
	$changed =~ s/\Q$from\E/$to/ or die $from;
	write_text("$folder/manifest.json", $changed);
};
for my $case ([ '"label":"signed"', '"label":"forged"' ], [ '"system_identifier":"', '"system_identifier":"1' ], [ '"mac":"', '"MAC":"' ])
{
	$change->(@$case);
	($status, $out, $err) = pgbackup($node, 'verify', $name, @with_key);
	cmp_ok($status, '>', 0, "$case->[1]: a changed manifest is refused");
	like($err, qr/the MAC of the manifest in .* is wrong|has no MAC/, 'and the reason is given');
}
write_text("$folder/manifest.json", $text);
mkdir "$store/moved" or die;
write_text("$store/moved/manifest.json", $text);
($status, $out, $err) = pgbackup($node, 'show', 'moved', @with_key);
is($status, 4, 'in another folder it is refused');
like($err, qr/is that of another backup/, 'as that of another backup');
($status, $out, $err) = pgbackup($node, 'verify', $name, @storage, '--manifest-key-file', $other);
is($status, 4, 'another key refuses it');
like($err, qr/the MAC of the manifest in .* is wrong/, 'and says why');
($status, $out, $err) = pgbackup($node, 'verify', $name, @storage, '--manifest-key-file', $other, '--allow-unsigned');
is($status, 4, 'whether or not unsigned ones are allowed');

# Keys change: the first one signs, all are good.
write_text("$keys/both.key", read_file($other) . read_file($key));
chmod 0600, "$keys/both.key" or die;
restart_settings($node, 'pgbackup.manifest_key_file' => "$keys/both.key");
my $later = backup(q{'shop', label => 'rotated'}, 'a backup after a change of keys');
($status, $out, $err) = pgbackup($node, 'list', @storage, '--manifest-key-file', "$keys/both.key");
is(() = $out =~ /\n/g, 2, 'both are good');
($status, $out, $err) = pgbackup($node, 'list', @storage, '--manifest-key-file', $other);
like($out, qr/^\S+\tshop\t.*\trotated\t[^\n]*\n\z/, 'the first key has signed the new one');

# Encrypted ones are signed as well.
($status, $out, $err) = pgbackup($node, 'keygen', '-o', "$keys/identity");
chomp(my $recipient = $out);
restart_settings($node, 'pgbackup.encryption_recipients' => $recipient, 'pgbackup.identity_file' => "$keys/identity");
my $encrypted = backup(q{'shop', label => 'encrypted'}, 'an encrypted and signed backup');
($status, $out, $err) = pgbackup($node, 'verify', '--level', 'archive', $encrypted, '--database', 'shop', @storage, '--manifest-key-file', "$keys/both.key", '-i', "$keys/identity");
is($status, 0, 'is verified') or diag($err);
restart_settings($node, 'pgbackup.encryption_recipients' => '');

# The catalog vouches for what it knows: with its checksum, whatever the key file holds by now.
restart_settings($node, 'pgbackup.manifest_key_file' => $other);
for my $known ($id{custom}, $signed)
{
	my $run = start_restore($node, "$known, 'known_$known'");
	is(finished($node, $run), 'completed', "backup $known of the catalog is restored") or diag(said(row_of($node, $run, 'restores')));
}
chmod 0644, $other or die;
my $failed = start_backup($node, q{'shop'});
is(finished($node, $failed), 'failed', 'a key that others can read signs nothing');
like(said(row_of($node, $failed)), qr/manifest key file.*readable by others.*chmod 0600/, 'and the way out is given');
chmod 0600, $other or die;

# A new server with the keys.
my $fourth = new_cluster('fourth', 'pgbackup.storage' => "file://$store", 'pgbackup.manifest_key_file' => "$keys/both.key");
($code, $out, $err) = $fourth->psql('postgres', 'SELECT pgbackup.import()');
is("$code $out", '0 3', 'import takes the signed ones alone') or diag($err);
like($err, qr/has no MAC.*allow_unsigned => true/s, 'and says how to have the others');
is($fourth->safe_psql('postgres', q{SELECT string_agg(label, ' ' ORDER BY id) FROM pgbackup.backups}), 'signed rotated encrypted', 'these');
my $run = start_restore($fourth, q{(SELECT id FROM pgbackup.backups WHERE label = 'rotated'), 'shop'});
is(finished($fourth, $run), 'completed', 'one of them is restored') or diag(said(row_of($fourth, $run, 'restores')));
($code, $out, $err) = $fourth->psql('postgres', 'SELECT pgbackup.import(allow_unsigned => true)');
is("$code $out", '0 8', 'the others when they are allowed') or diag($err);

$_->stop for $node, $new, $third, $fourth;
done_testing();
