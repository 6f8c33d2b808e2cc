# Roles, their rights and settings, and databases.
package Outages::Roles;

use strict;
use warnings;

sub outages
{
	return (
		{ name => 'owner cannot log in', reason => qr/the last (?:backup|\d+ backups) failed/,
		  begin => sub { $_[0]->sql('ALTER ROLE postgres NOLOGIN'); $_[0]->run }, end => sub { $_[0]->sql('ALTER ROLE postgres LOGIN') } },
		{ name => 'pg_hba.conf rejects the owner', reason => qr/the last (?:backup|\d+ backups) failed/,
		  begin => sub { $_[0]->hba('local all postgres reject'); $_[0]->run }, end => sub { $_[0]->hba() } },
		{ name => 'no connection is left', reason => qr/the last (?:backup|\d+ backups) failed|^error.*too many clients/,
		  begin => sub { $_[0]->run_with_all_connections }, end => sub { $_[0]->unlock } },
		{ name => 'owner is renamed', harmless => 1,
		  begin => sub { $_[0]->sql('ALTER ROLE postgres RENAME TO boss') }, end => sub { $_[0]->sql('ALTER ROLE boss RENAME TO postgres') } },
		{ name => 'rights are revoked', harmless => 1,
		  begin => sub { $_[0]->sql("REVOKE ALL ON $_ pgbackup FROM PUBLIC, postgres")
			for 'SCHEMA', 'ALL TABLES IN SCHEMA', 'ALL FUNCTIONS IN SCHEMA', 'ALL SEQUENCES IN SCHEMA' },
		  end => sub { $_[0]->sql('GRANT ALL ON SCHEMA pgbackup TO postgres') } },
		{ name => 'settings of the owner', harmless => 1,
		  begin => sub { $_[0]->sql(q{ALTER ROLE postgres SET statement_timeout = '1ms'; ALTER ROLE postgres SET role = 'nobody';
			ALTER ROLE postgres SET search_path = 'nowhere'; ALTER ROLE postgres SET default_transaction_read_only = on}) },
		  end => sub { $_[0]->sql('ALTER ROLE postgres RESET ALL') } },
		{ name => 'settings of the home database', harmless => 1,
		  begin => sub { $_[0]->sql(q{ALTER DATABASE postgres SET standard_conforming_strings = off; ALTER DATABASE postgres SET lock_timeout = '1ms';
			ALTER DATABASE postgres SET default_transaction_isolation = 'serializable'}); $_[0]->sql('SELECT pg_terminate_backend(pgbackup.launcher_pid())') },
		  end => sub { $_[0]->sql('ALTER DATABASE postgres RESET ALL'); $_[0]->sql('SELECT pg_terminate_backend(pgbackup.launcher_pid())') } },
		{ name => 'database accepts no connections', reason => qr/it does not accept connections/,
		  begin => sub { $_[0]->sql('ALTER DATABASE shop ALLOW_CONNECTIONS false') }, end => sub { $_[0]->sql('ALTER DATABASE shop ALLOW_CONNECTIONS true') } },
		{ name => 'database is dropped', reason => qr/names database "shop", which does not exist/,
		  begin => sub { $_[0]->sql('DROP DATABASE shop WITH (FORCE)') },
		  # It could be another database of the same name.
		  end => sub { $_[0]->create_shop; $_[0]->sql(q{SELECT pgbackup.adopt_database('shop')}) } },
		{ name => 'database is renamed', reason => qr/names database "shop", which does not exist/,
		  begin => sub { $_[0]->sql('ALTER DATABASE shop RENAME TO shop_old') }, end => sub { $_[0]->sql('ALTER DATABASE shop_old RENAME TO shop') } });
}

1;
