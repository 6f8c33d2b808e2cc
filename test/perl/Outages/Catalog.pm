# What the extension is made of: changed, without room, gone, somebody else's.
package Outages::Catalog;

use strict;
use warnings;

sub outages
{
	return (
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
		{ name => 'disk of the catalog is full', needs => sub { $ENV{PGBACKUP_TEST_SMALL_TABLESPACE} },
		  reason => qr/the launcher has met errors since .*No space left/,
		  begin => sub { $_[0]->fill_catalog; $_[0]->await_trouble }, end => sub { $_[0]->empty_catalog } },
		{ name => 'owner of the extension is demoted', harmless => 1,
		  begin => sub { $_[0]->create_as('mallory'); $_[0]->sql('ALTER ROLE mallory NOSUPERUSER') },
		  end => sub { $_[0]->create_as('tester') } },
		{ name => 'owner of the extension is dropped', harmless => 1,
		  begin => sub { $_[0]->create_as('mallory'); $_[0]->sql('REASSIGN OWNED BY mallory TO tester; DROP ROLE mallory') } },
		{ name => 'what the owner has is dropped', reason => qr/^error.*does not exist/,
		  begin => sub { $_[0]->create_as('mallory'); $_[0]->sql('DROP OWNED BY mallory CASCADE') },
		  end => sub { $_[0]->create_as('tester') } },
		{ name => 'an ordinary role owns a function', reason => qr/belongs to role "nobody", which is not a superuser, so the launcher runs nothing/,
		  begin => sub { $_[0]->sql('ALTER FUNCTION pgbackup._notify_limit() OWNER TO nobody') },
		  end => sub { $_[0]->sql('ALTER FUNCTION pgbackup._notify_limit() OWNER TO postgres') } },
		{ name => 'extension is dropped', short => 1, reason => qr/^error.*does not exist/,
		  begin => sub { $_[0]->sql('DROP EXTENSION pgbackup') }, end => sub { $_[0]->sql('CREATE EXTENSION pgbackup') } });
}

1;
