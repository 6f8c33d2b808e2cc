# The installation, what the server shares among its sessions, and servers that take the place of another one.
package Outages::Server;

use strict;
use warnings;

sub outages
{
	return (
		{ name => 'library is gone', reason => qr/could not access file "[^"]*pgbackup"|the file of the library .* does not exist any more/,
		  begin => sub { rename $_[0]->library, $_[0]->library . '.away' or die $! },
		  end => sub { rename $_[0]->library . '.away', $_[0]->library or die $! } },
		{ name => 'library is replaced', reason => qr/the file of the library of pgbackup, ".*", has been replaced since the server started/,
		  begin => sub { $_[0]->replace_library(sub { return $_[0] }) }, end => sub { $_[0]->restart } },
		{ name => 'library is of another version', reason => qr/the library of pgbackup has version 0\.9\.0, the extension has version 1\.0/,
		  begin => sub { $_[0]->replace_library(sub { return $_[0] =~ s/\0\K1\.0\.0(?=\0)/0.9.0/gr }); $_[0]->restart },
		  end => sub { $_[0]->replace_library(sub { return $_[0] =~ s/\0\K0\.9\.0(?=\0)/1.0.0/gr }); $_[0]->restart } },
		{ name => 'NOTIFY queue is full', reason => qr/the NOTIFY queue is too full for notifications/,
		  begin => sub { $_[0]->fill_queue; $_[0]->run_well }, end => sub { $_[0]->empty_queue } },
		{ name => 'server is a clone', reason => qr/this server is a copy of another one|another server \(instance .*\) may remove backups/,
		  begin => sub { $_[0]->replace_server('clone'); $_[0]->await_schedule }, end => sub { $_[0]->sql('SELECT pgbackup.take_over_storage()') } },
		{ name => 'standby is promoted', reason => qr/this server is a copy of another one|another server \(instance .*\) may remove backups/,
		  begin => sub { $_[0]->replace_server('standby', has_streaming => 1); $_[0]->await_schedule },
		  end => sub { $_[0]->sql('SELECT pgbackup.take_over_storage()') } });
}

1;
