# What takes longer to end than all others.
package Outages::Patience;

use strict;
use warnings;

use PgBackup;

sub outages
{
	return (
		# It is ended after ten minutes.
		{ name => 'agent is stopped for good', reason => qr/has made no progress since/, resumed_within => 900,
		  begin => sub { $_[0]->slow_run; kill 'STOP', agent_of($_[0]{node}, $_[0]{id}); $_[0]->settings('pgbackup.bin_directory' => '') } });
}

1;
