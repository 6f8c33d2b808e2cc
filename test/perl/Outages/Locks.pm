# Sessions that hold locks on tables of the extension.
package Outages::Locks;

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
		{ name => 'a session locks the row of a schedule', reason => qr/the launcher has met errors since .*lock timeout/,
		  begin => sub { $_[0]->session('postgres', 'BEGIN; SELECT FROM pgbackup.schedule_states FOR UPDATE') or die; $_[0]->await_trouble },
		  end => sub { $_[0]->unlock } });
}

1;
