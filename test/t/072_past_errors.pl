# Backups that no server takes as a whole: on_error => 'continue' brings what can be brought, says what
# could not, and never in the place of a database that may be complete.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('node', 'pgbackup.split_table_size' => '1MB', 'pgbackup.safety_backup' => 'off',
	'pgbackup.recent_backup_window' => 0);
$node->safe_psql('postgres', 'CREATE DATABASE shop');

# A function that finds its table only with this session's search_path; an index, a constraint and a
# generated column that call it; duplicates under a unique index; orphans of a foreign key. And what is good.
$node->safe_psql('shop', q{
	CREATE TABLE good AS SELECT i, md5(i::text) AS m FROM generate_series(1, 40000) i;
	ALTER TABLE good ADD PRIMARY KEY (i);
	CREATE TABLE rates (r int);
	INSERT INTO rates VALUES (2);
	CREATE FUNCTION rate(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN i * (SELECT r FROM public.rates); END';
	CREATE TABLE priced (i int, secret text);
	INSERT INTO priced SELECT i, 'secret-' || i FROM generate_series(1, 100) i;
	CREATE INDEX priced_rate ON priced (rate(i));
	CREATE TABLE checked (i int CHECK (rate(i) > 0));
	INSERT INTO checked VALUES (1), (2);
	-- From version 17 on the server would not build the index with that.
	CREATE OR REPLACE FUNCTION rate(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN i * (SELECT r FROM rates); END';
	CREATE TABLE twins (i int, secret text);
	INSERT INTO twins VALUES (1, 'secret-a');
	ALTER TABLE twins ADD UNIQUE (secret);
	CREATE TABLE parents (i int PRIMARY KEY);
	INSERT INTO parents VALUES (1);
	CREATE TABLE orphans (i int REFERENCES parents);
	INSERT INTO orphans VALUES (1);
	CREATE VIEW seen AS SELECT count(*) FROM priced});
# As corruption leaves them.
$node->safe_psql('shop', q{
	SET session_replication_role = replica;
	INSERT INTO orphans VALUES (77);
	UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = 'twins_secret_key'::regclass;
	INSERT INTO twins VALUES (2, 'secret-a');
	UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid = 'twins_secret_key'::regclass}, extra_params => [ '--single-transaction' ]);

my %backup;
for my $format (qw(custom parallel plain))
{
	$backup{$format} = start_backup($node, "'shop', format => '$format'");
	is(finished($node, $backup{$format}), 'completed', "a backup of format $format") or diag(explain(row_of($node, $backup{$format})));
}

sub run_of
{
	my ($arguments) = @_;
	my $run = start_restore($node, $arguments);
	my $status = finished($node, $run);
	return ($status, row_of($node, $run, 'restores'), $run);
}

sub rest_is_there
{
	my ($what) = @_;
	is($node->safe_psql('rest', q{SELECT (SELECT count(*) FROM good), (SELECT count(*) FROM priced), (SELECT count(*) FROM twins),
			(SELECT count(*) FROM orphans), (SELECT count FROM seen), to_regclass('good_pkey'), (SELECT count(*) FROM parents)}),
		'40000|100|2|2|100|good_pkey|1', "$what: what can be restored is");
	is($node->safe_psql('rest', q{SELECT (SELECT count(*) FROM checked), to_regclass('priced_rate'), to_regclass('twins_secret_key'),
			(SELECT count(*) FROM pg_constraint WHERE contype = 'f')}), '0|||0', "$what: and nothing else");
	return;
}

for my $format (qw(custom parallel))
{
	my ($status, $row) = run_of("$backup{$format}, 'rest'");
	is($status, 'failed', "$format: as a whole it cannot be restored");
	like($row->{hint}, qr/on_error => 'continue'/, "$format: which says how the rest can be");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname LIKE 'rest%'}), 0, "$format: nothing is left");

	($status, $row, my $run) = run_of("$backup{$format}, 'rest', on_error => 'continue'");
	is($status, 'completed', "$format: past errors it can") or diag(explain($row));
	like($row->{message}, qr/^the database is INCOMPLETE: 4 errors were passed over, the first of /, "$format: that is said");
	rest_is_there($format);
	my $errors = $node->safe_psql('postgres', "SELECT position, entry, message, detail FROM pgbackup.restore_errors WHERE restore_id = $run ORDER BY entry");
	like($errors, qr/^\d\|CONSTRAINT twins twins_secret_key\|could not create unique index/m, "$format: the duplicates are named");
	like($errors, qr/^\d\|FK CONSTRAINT orphans orphans_i_fkey\|insert or update on table "orphans" violates foreign key/m, "$format: and the orphans");
	like($errors, qr/^\d\|INDEX priced_rate\|relation "rates" does not exist/m, "$format: and the index");
	like($errors, qr/^\d\|TABLE DATA checked\|relation "rates" does not exist/m, "$format: and the rows");
	unlike("$errors$row->{detail}", qr/secret-|\(77\)/, "$format: without values of rows");
	like($row->{detail}, qr/INDEX priced_rate: relation "rates" does not exist/, "$format: detail has the first of them");
	like($row->{hint}, qr/pgbackup\.restore_errors WHERE restore_id = $run/, "$format: hint tells of all");
	$node->safe_psql('postgres', 'DROP DATABASE rest');
}

# Without errors it is a restore as any other.
my ($status, $row, $run) = run_of("$backup{parallel}, 'rest', on_error => 'continue', tables => '{public.good}'");
is($status, 'completed', 'a part without errors');
unlike($row->{message} // '', qr/INCOMPLETE/, 'is complete');
is($node->safe_psql('postgres', "SELECT count(*) FROM pgbackup.restore_errors WHERE restore_id = $run"), 0, 'and has none');
$node->safe_psql('postgres', 'DROP DATABASE rest');

# A table of which a range is refused.
$node->safe_psql('shop', q{ALTER TABLE good ADD CHECK (current_database() = 'shop')});
my $ranges = start_backup($node, q{'shop', format => 'parallel'});
is(finished($node, $ranges), 'completed', 'a backup with rows that its constraint refuses');
($status, $row, $run) = run_of("$ranges, 'rest', on_error => 'continue', tables => '{public.good}'");
is($status, 'completed', 'its rest can be restored') or diag(explain($row));
like($node->safe_psql('postgres', "SELECT entry, message FROM pgbackup.restore_errors WHERE restore_id = $run LIMIT 1"),
	qr/^rows of table "?public"?\."?good"? in data-\S+\|new row for relation "good" violates check constraint/, 'each range is named');
$node->safe_psql('postgres', 'DROP DATABASE rest');

# In place of another database only when that is said twice.
$node->safe_psql('postgres', 'CREATE DATABASE rest');
$node->safe_psql('rest', 'CREATE TABLE precious (i int)');
my ($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.restore($backup{custom}, 'rest', replace => true, on_error => 'continue')");
like($err, qr/an incomplete database would replace one.*continue_and_replace/s, 'it does not replace by accident');
($code, $out, $err) = $node->psql('postgres', "SELECT pgbackup.restore($backup{custom}, 'other', on_error => 'ignore')");
like($err, qr/invalid on_error: 'ignore'.*stop, continue/s, 'and nothing else is known');
($status, $row, $run) = run_of("$backup{custom}, 'rest', replace => true, on_error => 'continue_and_replace'");
is($status, 'completed', 'said twice it does') or diag(explain($row));
rest_is_there('replaced');
is($node->safe_psql('postgres', "SELECT count(*) FROM pgbackup.restore_errors WHERE restore_id = $run"), 4, 'and its errors are recorded');
is($node->safe_psql($row->{kept_database}, 'SELECT count(*) FROM precious'), 0, 'what was there is kept');
$node->safe_psql('postgres', 'DROP DATABASE rest');

# A script cannot be restored this way: rows would be taken for commands.
($status, $row) = run_of("$backup{plain}, 'rest', on_error => 'continue'");
is($status, 'failed', 'a script is refused');
like($row->{message}, qr/plain format cannot be restored past errors/, 'saying so');

# Damage ends it all the same.
my $folder = row_of($node, $backup{parallel})->{file_name};
my $store = $node->basedir . '/store';
my ($data) = glob "$store/$folder/data-001*";
flip_bit($data);
($status, $row) = run_of("$backup{parallel}, 'rest', on_error => 'continue'");
is($status, 'failed', 'damage is not passed over');
like($row->{sqlstate}, qr/^XX001$/, 'and called damage');
flip_bit($data);

is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname LIKE 'rest\_\_restore%' OR datname = 'rest'}), 0, 'nothing is left');

# On the command line.
my @restore = ('restore', $backup{custom}, '-s', "file://$store", '--target-database', 'rest', '-h', $node->host, '-p', $node->port);
($status, $out, $err) = pgbackup($node, @restore);
is($status, 1, 'the command line stops, too');
like($err, qr/hint: .*--on-error continue/, 'and says how to go on');
($status, $out, $err) = pgbackup($node, @restore, '--on-error', 'continue');
is($status, 5, 'which has an exit status of its own');
like($out, qr/is restored as database "rest"; the database is INCOMPLETE: 4 errors.*INDEX priced_rate: relation "rates"/s, 'and tells what is missing');
rest_is_there('command line');

$node->stop;
done_testing();
