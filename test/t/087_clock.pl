# A clock that is set: forward by days, and back.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use FakeClock;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $library = find_fake_clock();
plan skip_all => 'libfaketime is not installed' unless $library;
use_fake_clock(steady => 1);
my $node;
{
	local $ENV{LD_PRELOAD} = $library;
	$node = new_cluster('clock', 'pgbackup.databases' => 'postgres', 'pgbackup.schedule' => '* * * * *', 'pgbackup.retention_days' => 100, timezone => 'UTC');
}

sub value { return $node->safe_psql('postgres', $_[0]) }

# Waits until a scheduled backup has completed that began after this moment by the server's clock.
sub await_backup
{
	my ($since) = @_;
	$node->poll_query_until('postgres', qq{SELECT count(*) > 0 FROM pgbackup.backups
		WHERE status = 'completed' AND backup_type = 'scheduled' AND started_at > '$since'}) or die;
	return;
}

sub healthy
{
	my ($title) = @_;
	ok($node->poll_query_until('postgres', q{SELECT bool_and(status = 'healthy') FROM pgbackup.health()}), $title)
	  or diag(value('SELECT reasons FROM pgbackup.health()'));
	return;
}

give_clock($node);
my $began = value('SELECT now()');
await_backup($began);
healthy('a schedule runs');

for my $step (3 * 86400 + 7 * 3600, -86400, -2 * 86400 - 7 * 3600, 365 * 86400)
{
	my $title = sprintf '%+.1f hours', $step / 3600;
	my $before = value('SELECT max(id) FROM pgbackup.backups');
	pass_time($step);
	# The next minute by the new clock, unless it has been run before.
	my $now = value('SELECT now()');
	my $id = start_backup($node, q{'postgres'});
	is(finished($node, $id), 'completed', "$title: a backup can be made");
	if ($step == -2 * 86400 - 7 * 3600)
	{
		# Back where it was: minutes that have been run are not run again, the ones after them are.
		is(value(qq{SELECT count(*) FROM (SELECT slot, database FROM pgbackup.backups WHERE backup_type = 'scheduled' AND retry_of IS NULL
			GROUP BY 1, 2 HAVING count(*) > 1) AS d}), 0, "$title: no time is run twice");
	}
	$node->poll_query_until('postgres', qq{SELECT count(*) > 0 FROM pgbackup.backups
		WHERE status = 'completed' AND backup_type = 'scheduled' AND id > $before AND slot > '$now'::timestamptz - interval '61 s'
		AND slot < '$now'::timestamptz + interval '3 minutes'}) or die;
	pass("$title: the schedule goes on within a minute or two");
	healthy("$title: all is well");
	is(value(q{SELECT count(*) FROM pgbackup.backups WHERE duration < interval '0'}), 0, "$title: no duration is negative");
}
is(value(q{SELECT count(*) FROM (SELECT schedule, slot FROM pgbackup.slots WHERE outcome <> 'missed' GROUP BY 1, 2 HAVING count(*) > 1) AS d}), 0,
	'each time is settled once');
like(value(q{SELECT string_agg(format('%s of %s', outcome, slots), ', ' ORDER BY slot) FROM pgbackup.slots WHERE outcome = 'missed'}),
	qr/^missed of \d+/, 'minutes that have been jumped over are missed');

$node->stop;
done_testing();
