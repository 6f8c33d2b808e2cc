# The schedule: every selected database once a slot, changed by a reload, idle without storage.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('schedule', 'pgbackup.timezone' => 'Asia/Kathmandu');
my $store = $node->basedir . '/store';
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(alpha "Beta" gamma);
$node->safe_psql('postgres', 'ALTER DATABASE gamma ALLOW_CONNECTIONS false');

# An idle launcher does nothing at all.
sub cpu_ticks
{
	my @fields = split / /, (read_file('/proc/' . launcher_pid($node) . '/stat') =~ s/^.*\) //sr);
	return $fields[11] + $fields[12];
}
my $idle = cpu_ticks();

# A minute that comes soon, in a zone 5:45 from UTC.
restart_settings($node, 'pgbackup.schedule' => '* * * * *');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgbackup.backups'), 0, 'nothing runs before its time');
cmp_ok(cpu_ticks() - $idle, '<=', 5, 'waiting costs nothing');
$node->poll_query_until('postgres', q{SELECT count(*) >= 3 FROM pgbackup.backups WHERE status = 'completed'}) or die;
is($node->safe_psql('postgres', q{SELECT string_agg(database, ',' ORDER BY database) FROM pgbackup.backups
	WHERE slot = (SELECT min(slot) FROM pgbackup.backups)}),
	'Beta,alpha,postgres', 'every database that accepts connections, templates excluded, once');
is($node->safe_psql('postgres', q{SELECT bool_and(backup_type = 'scheduled' AND schedule = 'default'
	AND slot = date_trunc('minute', slot) AND created_at >= slot AND created_at < slot + interval '5 s')
	FROM pgbackup.backups}), 't', 'rows know their schedule and slot, and start on time');

# A change takes effect on reload: one database, another expression.
my $hour = $node->safe_psql('postgres', q{SELECT to_char((now() + interval '2 minutes') AT TIME ZONE 'Asia/Kathmandu', 'MI HH24')});
restart_settings($node, 'pgbackup.schedule' => "$hour * * *", 'pgbackup.databases' => '"Beta", missing');
my $count = $node->safe_psql('postgres', 'SELECT max(slot) FROM pgbackup.backups');
$node->poll_query_until('postgres', "SELECT count(*) = 2 FROM pgbackup.backups WHERE slot > '$count' AND finished_at IS NOT NULL")
  or die 'the new schedule did not run';
is($node->safe_psql('postgres', "SELECT string_agg(database || ' ' || status, ',' ORDER BY database) FROM pgbackup.backups WHERE slot > '$count'"),
	'Beta completed,missing failed', 'only the listed databases run, at the wall clock time of the zone');
like($node->safe_psql('postgres', q{SELECT message FROM pgbackup.backups WHERE database = 'missing'}),
	qr/does not exist/, 'a database that is not there has a clear row');

$node->stop;
done_testing();
