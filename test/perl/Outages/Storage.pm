# The storage and hooks.
package Outages::Storage;

use strict;
use warnings;

sub outages
{
	return (
		{ name => 'storage is away', short => 1, reason => qr/the last (?:backup|\d+ backups) failed/,
		  begin => sub { $_[0]->lose_storage; $_[0]->run }, end => sub { $_[0]->find_storage } },
		{ name => 'storage of many databases is away', reason => qr/the last (?:backup|\d+ backups) failed/,
		  begin => sub { $_[0]->lose_storage; $_[0]->run_many(12); $_[0]->run }, end => sub { $_[0]->find_storage } },
		{ name => 'storage cannot be written', reason => qr/the last (?:backup|\d+ backups) failed/,
		  begin => sub { chmod 0500, glob "$_[0]{store} $_[0]{store}/* $_[0]{store}/*/*"; $_[0]->run },
		  end => sub { chmod 0700, glob "$_[0]{store} $_[0]{store}/* $_[0]{store}/*/*" } },
		{ name => 'storage is full', needs => sub { $ENV{PGBACKUP_TEST_SMALL_DISK} }, reason => qr/the last (?:backup|\d+ backups) failed/,
		  begin => sub { $_[0]->settings('pgbackup.storage' => "file://$ENV{PGBACKUP_TEST_SMALL_DISK}/store"); $_[0]->fill($ENV{PGBACKUP_TEST_SMALL_DISK}); $_[0]->run },
		  end => sub { unlink "$ENV{PGBACKUP_TEST_SMALL_DISK}/filler" } },
		{ name => 'store of S3 does not respond', reason => qr/has made no progress since|the storage cannot be reached/,
		  begin => sub { $_[0]->silent_store; $_[0]->run },
		  end => sub { $_[0]->settings('pgbackup.storage' => "file://$_[0]{store}"); close $_[0]{listener} } },
		{ name => 'a hook hangs', reason => qr/the last (?:backup|\d+ backups) failed: pgbackup\.pre_backup_command took longer than/,
		  begin => sub { $_[0]->settings('pgbackup.pre_backup_command' => '["/bin/sleep", "1000"]'); $_[0]->run },
		  end => sub { $_[0]->settings('pgbackup.pre_backup_command' => '') } },
		{ name => 'a hook fails', reason => qr/the last (?:backup|\d+ backups) failed/,
		  begin => sub { $_[0]->settings('pgbackup.pre_backup_command' => '["/bin/false"]'); $_[0]->run },
		  end => sub { $_[0]->settings('pgbackup.pre_backup_command' => '') } });
}

1;
