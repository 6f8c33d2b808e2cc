# The tables of the extension: locked, changed, gone.
package Outages::Catalog;

use strict;
use warnings;

sub outages
{
	return (
		(map { my $table = $_; {
			name => "a session locks $table", reason => qr/process \d+ has locked table "$table" of pgbackup/,
			short => $table eq 'backups',
			begin => sub { $_[0]->lock('postgres', "pgbackup.$table", 'ACCESS EXCLUSIVE') },
			end => sub { $_[0]->unlock } } }
		  qw(backups restores copies removals slots schedule_states named_schedules leases instance)),
		{ name => 'a session locks cancellations', reason => qr/the launcher has met errors since/,
		  begin => sub { $_[0]->lock('postgres', 'pgbackup.cancellations', 'ACCESS EXCLUSIVE') },
		  end => sub { $_[0]->unlock } },
		{ name => 'a session locks slots against writers', reason => qr/the launcher has met errors|nothing has been recorded/,
		  begin => sub { $_[0]->lock('postgres', 'pgbackup.slots', 'EXCLUSIVE') },
		  end => sub { $_[0]->unlock } },
		{ name => 'a session locks a row that waits', reason => qr/has been waiting since .*, although nothing keeps it from starting/,
		  begin => sub { $_[0]->lock_pending }, end => sub { $_[0]->unlock } },
		{ name => 'a table is gone', reason => qr/the launcher has met errors since/,
		  begin => sub { $_[0]->sql('ALTER TABLE pgbackup.cancellations RENAME TO gone') },
		  end => sub { $_[0]->sql('ALTER TABLE pgbackup.gone RENAME TO cancellations') } },
		{ name => 'a run is lost', reason => qr/is recorded as under way, but no process works on it/,
		  begin => sub { $_[0]->sql(q{INSERT INTO pgbackup.backups (database, storage, format, status, started_at, file_name)
			VALUES ('shop', 'file:///nowhere', 'custom', 'in_progress', now() - interval '1 hour', 'x')}) },
		  end => sub { $_[0]->sql('SELECT pg_terminate_backend(pgbackup.launcher_pid())') } },
		{ name => 'schedules are not settled', reason => qr/nothing has been recorded of schedule "default" since/,
		  begin => sub { $_[0]->sql(q{CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
			CREATE TRIGGER no BEFORE INSERT OR UPDATE ON pgbackup.slots FOR EACH ROW EXECUTE FUNCTION public.no()}); $_[0]->await_slot },
		  end => sub { $_[0]->sql('DROP FUNCTION public.no() CASCADE') } },
		{ name => 'a session locks the row of a schedule', reason => qr/the launcher has met errors since .*lock timeout/,
		  begin => sub { $_[0]->session('postgres', 'BEGIN; SELECT FROM pgbackup.schedule_states FOR UPDATE') or die; $_[0]->await_trouble },
		  end => sub { $_[0]->unlock } },
		{ name => 'disk of the catalog is full', needs => sub { $ENV{PGBACKUP_TEST_SMALL_TABLESPACE} },
		  reason => qr/the launcher has met errors since .*No space left/,
		  begin => sub { $_[0]->fill_catalog; $_[0]->await_trouble }, end => sub { $_[0]->empty_catalog } },
		{ name => 'extension is dropped', short => 1, reason => qr/^error.*does not exist/,
		  begin => sub { $_[0]->sql('DROP EXTENSION pgbackup') }, end => sub { $_[0]->sql('CREATE EXTENSION pgbackup') } });
}

1;
