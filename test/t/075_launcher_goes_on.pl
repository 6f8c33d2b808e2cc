# One row that cannot be begun or recorded fails, and the others go on; what is wrong with the launcher
# itself is in check() and health(), not a line a second in the log, and ends by itself.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('node', wal_level => 'logical', 'pgbackup.retry_count' => 0, 'pgbackup.databases' => 'postgres');

sub value { return $node->safe_psql('postgres', $_[0]) }

sub completes
{
	my ($title) = @_;
	my $id = start_backup($node, q{'postgres'});
	is(finished($node, $id), 'completed', "$title: others go on") or diag(explain(row_of($node, $id)));
	return $id;
}

# Errors that a row can bring about, without another way to have them in each place.
sub refuse
{
	my ($table, $condition) = @_;
	value(qq{
		CREATE OR REPLACE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RAISE 'refused row %', NEW.id; END\$\$;
		CREATE TRIGGER refuse BEFORE UPDATE ON pgbackup.$table FOR EACH ROW WHEN ($condition) EXECUTE FUNCTION public.refuse()});
	return;
}
sub allow { return value("DROP TRIGGER refuse ON pgbackup.$_[0]") }

my $good = completes('at first');

# What cannot be begun.
my $bad = start_backup($node, q{'postgres', storage => 's3://bucket/p?object_lock_mode=governance&object_lock_days=%39'});
completes('a storage that is read differently than it was checked');
is(finished($node, $bad), 'failed', 'that one has ended');
refuse('backups', q{NEW.status = 'in_progress' AND NEW.label = 'bad'});
$bad = start_backup($node, q{'postgres', label => 'bad'});
completes('a backup that cannot be begun');
is(finished($node, $bad), 'failed', 'it fails');
like(row_of($node, $bad)->{message}, qr/^refused row $bad$/, 'with its message');
is(row_of($node, $bad)->{sqlstate}, 'P0001', 'and SQLSTATE');
allow('backups');

for my $mode ('restore', 'verify')
{
	refuse('restores', q{NEW.status = 'in_progress' AND NEW.options->>'jobs' = '7'});
	my @runs = map {
		value('BEGIN; CREATE TEMP TABLE run AS SELECT ' . ($mode eq 'restore' ? "pgbackup.restore($good, 'back_$_')" : "pgbackup.verify($good)")
			  . " AS id; UPDATE pgbackup.restores SET options = options || '{\"jobs\": $_}' WHERE id = (SELECT id FROM run); SELECT id FROM run; COMMIT");
	} 7, 2;
	is(join(' ', map { finished($node, $_) } @runs), 'failed completed', "a $mode that cannot be begun is in nobody's way");
	like(row_of($node, $runs[0], 'restores')->{message}, qr/^refused row $runs[0]$/, 'and has a message');
	allow('restores');
}

# What cannot be recorded.
refuse('backups', q{NEW.status = 'completed' AND NEW.label = 'bad end'});
$bad = start_backup($node, q{'postgres', label => 'bad end'});
completes('a backup whose end cannot be recorded');
is(finished($node, $bad), 'failed', 'it fails');
like(row_of($node, $bad)->{message}, qr/^the end of the run could not be recorded: refused row $bad$/, 'saying so');
like(row_of($node, $bad)->{hint}, qr/pgbackup\.import\(\)/, 'and what to do');
allow('backups');

# What cannot be removed or copied.
value(q{
	ALTER FUNCTION pgbackup._instance() RENAME TO _real_instance;
	CREATE FUNCTION pgbackup._instance() RETURNS jsonb LANGUAGE plpgsql AS $$BEGIN
		IF EXISTS (SELECT FROM pgbackup.removals WHERE run_id = 999999 AND attempts = 0) THEN RAISE 'refused row 999999'; END IF;
		RETURN pgbackup._real_instance();
	END$$;
	INSERT INTO pgbackup.removals (run_id, storage, file_name, reason) VALUES (999999, 'file:///nowhere', 'x', 'deleted')});
value("SELECT pgbackup.delete($good, true)");
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pgbackup.removals WHERE run_id = $good"),
	'a removal that cannot be begun is in nobody\'s way');
is(value('SELECT attempts, message FROM pgbackup.removals WHERE run_id = 999999'), '1|refused row 999999', 'it is tried again later');
value('DELETE FROM pgbackup.removals; DROP FUNCTION pgbackup._instance(); ALTER FUNCTION pgbackup._real_instance() RENAME TO _instance');
my $copied = completes('before copies');
my $offsite = PostgreSQL::Test::Utils::tempdir();
refuse('copies', q{NEW.status = 'in_progress' AND NEW.storage LIKE '%bad'});
value("SELECT pgbackup.copy($copied, 'file://$offsite/$_')") for 'bad', 'good';
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgbackup.copies WHERE storage LIKE '%good' AND status = 'completed'}),
	'a copy that cannot be begun is in nobody\'s way');
is(value(q{SELECT status, message ~ '^refused row' FROM pgbackup.copies WHERE storage LIKE '%bad'}), 'failed|t', 'it fails');
allow('copies');

# What cannot be written beside a backup.
value(q{
	ALTER FUNCTION pgbackup._marks_to_store(text, timestamptz, int) RENAME TO _real_marks;
	CREATE FUNCTION pgbackup._marks_to_store(storage text, due timestamptz, most int) RETURNS jsonb LANGUAGE plpgsql AS $$BEGIN
		IF storage = 'file:///nowhere' THEN RAISE 'refused storage'; END IF;
		RETURN pgbackup._real_marks(storage, due, most);
	END$$;
	INSERT INTO pgbackup.marks VALUES ('x', 'y', true);
	INSERT INTO pgbackup.unstored_marks (run_id, storage, file_name, checksum, changed_at) VALUES (999999, 'file:///nowhere', 'x', 'y', now())});
value("SELECT pgbackup.pin($copied)");
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pgbackup.unstored_marks'), 'a pin that cannot be written is in nobody\'s way');
is(value('SELECT run_id, attempts, message FROM pgbackup.unstored_marks'), '999999|1|refused storage', 'it is tried again later');
value(q{DELETE FROM pgbackup.marks WHERE file_name = 'x';
	DROP FUNCTION pgbackup._marks_to_store(text, timestamptz, int); ALTER FUNCTION pgbackup._real_marks(text, timestamptz, int) RENAME TO _marks_to_store});
is(value('SELECT count(*) FROM pgbackup.unstored_marks'), 0, 'but not when there is nothing to say any more');
value("SELECT pgbackup.pin($copied, false)");
is(value('SELECT message FROM pgbackup._launcher_trouble()'), '', 'none of this was the launcher\'s trouble');

# A publication of all tables needs to know which row is deleted.
is(value(q{
	SELECT string_agg(c.relname, ' ') FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
	  JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
	 WHERE e.extname = 'pgbackup' AND c.relkind = 'r'
	   AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)}), '', 'every table has a primary key');
value('CREATE PUBLICATION everything FOR ALL TABLES');
my $cancelled = start_backup($node, q{'postgres'});
value("SELECT pgbackup.cancel($cancelled)");
like(finished($node, $cancelled), qr/^(cancelled|completed)$/, 'with a publication of all tables runs can be cancelled');
completes('with one');
value('DROP PUBLICATION everything');

# The launcher's own trouble.
my $log = $node->logfile;
my $offset = -s $log;
value('ALTER TABLE pgbackup.cancellations RENAME TO gone');
value('SELECT pgbackup._wake_launcher()');
completes('a table that is gone');
ok($node->poll_query_until('postgres', 'SELECT errors > 0 FROM pgbackup._launcher_trouble()'), 'the launcher tells of its trouble');
like(value(q{SELECT status, detail FROM pgbackup.check() WHERE item = 'launcher'}),
	qr/^error\|runs as process \d+ and has met \d+ errors? since .*: relation "pgbackup.cancellations" does not exist$/, 'check() shows it at once');
ok($node->poll_query_until('postgres', q{SELECT bool_or(r ~ 'the launcher has met errors since .*, \d+ so far: relation "pgbackup.cancellations" does not exist')
		FROM pgbackup.health(), unnest(reasons) r WHERE status = 'critical'}), 'health() a minute later');
cmp_ok(scalar(() = slurp_file($log, $offset) =~ /ERROR: .*cancellations/g), '<', 10, 'and the log has few lines of it');
value('ALTER TABLE pgbackup.gone RENAME TO cancellations');
ok($node->poll_query_until('postgres', 'SELECT errors IS NULL FROM pgbackup._launcher_trouble()'), 'it ends by itself');
like(slurp_file($log, $offset), qr/the launcher works again, after \d+ errors/, 'and the log says so');
completes('afterwards');

$node->stop;
done_testing();
