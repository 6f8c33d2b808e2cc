# Pins and verifications lie in the storage, too: a catalog that is made new takes them over, whoever else writes to the
# storage.
use strict;
use warnings;

use File::Copy qw(copy);
use FindBin;
use JSON::PP qw(decode_json);
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use S3;
use Test::More;

my $node = new_cluster('marked', 'pgbackup.retention_count' => 0);
my $store = $node->basedir . '/store';

sub value { return $node->safe_psql('postgres', $_[0]) }

sub completed
{
	my ($arguments) = @_;
	my $id = start_backup($node, $arguments // q{'postgres'});
	is(finished($node, $id), 'completed', "backup $id") or diag(explain(row_of($node, $id)));
	return $id;
}

# Until nothing waits to be written that can be.
sub stored
{
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.unstored_marks') and return;
	diag(value('TABLE pgbackup.unstored_marks'));
	die 'marks are not stored';
}

sub removed { $node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pgbackup.removals') or die }

sub verified
{
	my ($id, $level) = @_;
	is(finished($node, value("SELECT pgbackup.verify($id, '$level')")), 'completed', "$level of backup $id");
	return;
}

# What the catalog has of backups, with ids.
my $known = q{SELECT string_agg(concat_ws(' ', id, file_name, pinned, verified_at, verified_level), E'\n' ORDER BY id)
	FROM pgbackup.backups WHERE status = 'completed'};

# The catalog is lost, and with it pgbackup.marks; returns what import() says. $storage and what follows are its arguments.
sub imported_anew
{
	my ($arguments) = @_;
	value('DROP EXTENSION pgbackup CASCADE; CREATE EXTENSION pgbackup');
	my ($code, $out, $err) = $node->psql('postgres', 'SELECT pgbackup.import(' . ($arguments // '') . ')');
	is($code, 0, 'import() ends well') or diag($err);
	return $err;
}

sub write_file
{
	my ($file, $text) = @_;
	open my $handle, '>:raw', $file or die "$file: $!";
	print {$handle} $text;
	close $handle or die;
	return;
}

# A storage: its URL, how to list it, and how to read an object.
sub test_storage
{
	my ($what, $url, $list, $read) = @_;
	note($what);
	restart_settings($node, 'pgbackup.storage' => $url);
	my ($first, $second, $third) = map { completed() } 1 .. 3;
	my $folder = row_of($node, $first)->{file_name};
	is(scalar(grep { /marks\.json$/ } $list->()), 0, 'without anything to say there is no object');
	value("SELECT pgbackup.pin($first)");
	verified($second, 'archive');
	value("SELECT pgbackup.pin($second)");
	stored();
	is(scalar(grep { /marks\.json$/ } $list->()), 2, 'each of those marked has one');
	my $marks = decode_json($read->("$folder/marks.json"));
	is_deeply([ sort keys %$marks ], [qw(changed_at file_name manifest pinned verified_at verified_level version)], 'it has these fields');
	is_deeply([ @$marks{qw(version file_name manifest verified_at)} ], [ 1, $folder, row_of($node, $first)->{checksum}, undef ],
		'and names the backup');
	ok($marks->{pinned}, 'which is pinned');
	my $before = value($known);
	like($before, qr/ t .*archive/, 'the catalog says so');
	imported_anew();
	is(value($known), $before, 'a new catalog has pins, verifications and ids');
	is(value('SELECT count(*) FROM pgbackup.unstored_marks'), 0, 'which are in the storage already');

	# Ends of pins are kept as well.
	value("SELECT pgbackup.pin($first, false)");
	value("SELECT pgbackup.pin($second, false)");
	stored();
	ok(!decode_json($read->("$folder/marks.json"))->{pinned}, 'the object is written anew');
	$before = value($known);
	imported_anew();
	is(value($known), $before, 'and nothing is pinned any more, but verified');
	is(value('SELECT count(*) FROM pgbackup.backups WHERE pinned OR verified_at IS NULL'), 2, 'one of them');

	# The row is newer than the object.
	value("SELECT pgbackup.pin($first)");
	stored();
	value(qq{UPDATE pgbackup.marks SET pinned = false, changed_at = changed_at + interval '1 s' WHERE file_name = '$folder';
		DELETE FROM pgbackup.backups WHERE id = $first; SELECT pgbackup.import()});
	is(row_of($node, $first)->{pinned}, 'false', 'what pgbackup.marks has is newer');
	stored();
	ok(!decode_json($read->("$folder/marks.json"))->{pinned}, 'and goes into the storage');

	# Nothing stays of what is removed.
	value("SELECT pgbackup.delete($_, true)") for $first, $second, $third;
	removed();
	is_deeply([ $list->() ], [], 'a removal leaves no folder behind');
	is(value('SELECT count(*) FROM pgbackup.marks'), 0, 'nor rows');
	return;
}

test_storage('a directory', "file://$store", sub { storage_files($store) }, sub { read_file("$store/$_[0]") });

SKIP:
{
	skip s3_missing(), 1 if s3_missing();
	my %settings = s3_settings("t091-$$");
	my $url = delete $settings{'pgbackup.storage'};
	restart_settings($node, %settings, 'pgbackup.s3_part_size' => 640);
	test_storage('S3', $url, sub { s3_keys("t091-$$") }, sub { s3_read("t091-$$/$_[0]") });
}

# Copies have them; the copy alone is enough.
my $away = $node->basedir . '/away';
restart_settings($node, 'pgbackup.storage' => "file://$store");
my $id = completed();
my $folder = row_of($node, $id)->{file_name};
value("SELECT pgbackup.pin($id)");
my $copy = value("SELECT pgbackup.copy($id, 'file://$away')");
is(finished($node, $copy), 'completed', 'a copy');
stored();
is(read_file("$away/$folder/marks.json"), read_file("$store/$folder/marks.json"), 'gets what is known of the backup');
verified($id, 'checksum');
stored();
is(decode_json(read_file("$away/$folder/marks.json"))->{verified_level}, 'checksum', 'and what is known later');
my $before = value($known);
imported_anew("'file://$away'");
is(value($known), $before, 'it is imported from there');
value("SELECT pgbackup.pin($id, false); SELECT pgbackup.delete($id, true)");
removed();
is_deeply([ storage_files($away) ], [], 'and removed there');
imported_anew();

# The storage is away: it is written once that is back.
value("SELECT pgbackup.pin($id)");
stored();
value("SELECT pgbackup.pin($id, false)");
stored();
rename $store, "$store.away" or die;
value("SELECT pgbackup.pin($id)");
$node->poll_query_until('postgres', 'SELECT attempts > 0 FROM pgbackup.unstored_marks') or die;
my $waiting = value('SELECT message FROM pgbackup.unstored_marks');
like($waiting, qr/does not exist|No such file|may not be the storage it was/, 'pgbackup.unstored_marks says why');
like(read_file($node->logfile), qr/WARNING:  pgbackup: pins and verifications of backups could not be written to file:/, 'so does the log');
value('UPDATE pgbackup.unstored_marks SET attempts = 3');
like(value(q{SELECT array_to_string(reasons, E'\n') FROM pgbackup.health() LIMIT 1}),
	qr/^pins and verifications wait to be written to the storage, 1 backup, which fails: /m, 'and health(), after three attempts');
rename "$store.away", $store or die;
value('SELECT pgbackup.take_over_storage()');
stored();
ok(decode_json(read_file("$store/$folder/marks.json"))->{pinned}, 'they are written when it is back');

# Who gets the right to write into the folders writes what has been kept back.
value(qq{UPDATE pgbackup.leases SET held = false; SELECT pgbackup._note_lease('file://$store', '{"held": false}')});
is(value('SELECT count(*) FROM pgbackup.unstored_marks'), 0, 'without the lease there is nothing to do');
is(value(qq{BEGIN; SELECT FROM pgbackup._note_lease('file://$store', '{"held": true}'); SELECT run_id FROM pgbackup.unstored_marks; COMMIT}) =~ s/\s//gr, $id,
	'with it there is');
stored();
# A forgotten backup is what it was when it is imported again.
value("SELECT pgbackup.pin($id, false); SELECT pgbackup.delete($id); SELECT pgbackup.import()");
is(row_of($node, $id)->{pinned}, 'false', 'also when the pin ended just before');
value("SELECT pgbackup.pin($id)");
stored();

# Whoever removes a backup behind the catalog's back: nothing is brought back.
my $gone = completed();
my $gone_folder = row_of($node, $gone)->{file_name};
unlink glob "$store/$gone_folder/*" or die;
rmdir "$store/$gone_folder" or die;
value("SELECT pgbackup.pin($gone)");
stored();
ok(!-e "$store/$gone_folder", 'a folder that is gone stays gone');
value("SELECT pgbackup.pin($gone, false); SELECT pgbackup.delete($gone)");

# What cannot be marks is ignored, and said; the backup is imported.
my $file = "$store/$folder/marks.json";
my $good = read_file($file);
my $other = completed();
verified($other, 'checksum');
stored();
my %bad = (
	'garbage' => "\0garbage",
	'an empty object' => '',
	'a huge one' => $good . ' ' x (1 << 20),
	'an unknown version' => $good =~ s/"version":1/"version":2/r,
	'an impossible time' => $good =~ s/"changed_at":"[^"]*"/"changed_at":"2026-13-01T00:00:00Z"/r,
	'a time that is to come' => $good =~ s/"changed_at":"\d+/"changed_at":"2999/r,
	'a time before all' => $good =~ s/"changed_at":"\d+/"changed_at":"0000/r,
	'that of another backup' => read_file("$store/" . row_of($node, $other)->{file_name} . '/marks.json'));
for my $kind (sort keys %bad)
{
	write_file($file, $bad{$kind});
	like(imported_anew(), qr/WARNING:  marks\.json of backup \S+ in file:\S+ was ignored: ./, "$kind is ignored, and said");
	is(row_of($node, $id)->{pinned} . row_of($node, $other)->{verified_level}, 'falsechecksum', 'the backups are there');
}
unlink $file or die;
mkdir $file or die;
imported_anew();
is(row_of($node, $id)->{pinned}, 'false', 'a folder of that name does no harm');
rmdir $file or die;
symlink '/etc/passwd', $file or die;
like(imported_anew(), qr/marks\.json of backup/, 'nor does a link');
unlink $file or die;
unlike(imported_anew(), qr/marks\.json/, 'without the object there is nothing to say');

# With a key, those without its MAC are ignored.
my $key = $node->basedir . '/manifest.key';
write_file($key, ('5' x 64) . "\n");
chmod 0600, $key or die;
restart_settings($node, 'pgbackup.manifest_key_file' => $key);
value("SELECT pgbackup.delete($_, true)") for $id, $other;
removed();
$id = completed();
$folder = row_of($node, $id)->{file_name};
$file = "$store/$folder/marks.json";
value("SELECT pgbackup.pin($id)");
stored();
$good = read_file($file);
like($good, qr/,"mac":"[0-9a-f]{64}"\}\n\z/, 'marks are signed as manifests are');
unlike(imported_anew(), qr/marks\.json/, 'such are believed');
is(row_of($node, $id)->{pinned}, 'true', 'pinned');
for my $forged ([ 'unsigned ones', $good =~ s/,"mac":"[^"]*"//r, qr/they have no MAC/ ],
	[ 'forged ones', $good =~ s/"pinned":true/"pinned":false/r, qr/their MAC is wrong/ ],
	[ 'a manifest', read_file("$store/$folder/manifest.json"), qr/marks/ ])
{
	my ($kind, $text, $why) = @$forged;
	write_file($file, $text);
	my $said = imported_anew();
	like($said, qr/was ignored: /, "$kind are ignored");
	like($said, $why, 'and it is said why');
	is(row_of($node, $id)->{pinned}, 'false', 'so the backup is not pinned');
}
write_file($file, $good =~ s/,"mac":"[^"]*"//r);
unlike(imported_anew('allow_unsigned => true'), qr/marks\.json/, 'allow_unsigned allows them, too');
is(row_of($node, $id)->{pinned}, 'true', 'pinned');
value("SELECT pgbackup.pin($id, false); SELECT pgbackup.delete($id, true)");
removed();

# cleanup() takes what is left of a backup together with its marks, and nobody else's file of that name.
mkdir "$store/$_" or die for 'left', 'school';
write_file("$store/left/$_", '{}') for 'marks.json', 'schema.dump.zst';
write_file("$store/school/marks.json", '{"maths": "A"}');
my $long_ago = time - 8 * 86400;
utime $long_ago, $long_ago, "$store/$_" or die for 'left/marks.json', 'left/schema.dump.zst', 'school/marks.json';
value('SELECT FROM pgbackup.cleanup()');
is_deeply([ storage_files($store) ], ['school/marks.json'], 'cleanup() knows the name');

$node->stop;
done_testing();
