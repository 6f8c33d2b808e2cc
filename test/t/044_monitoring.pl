# The files of monitoring/ in the programs they are for: postgres_exporter and sql_exporter deliver the
# series, Prometheus scrapes them, and its rules fire. What is not installed skips.
use strict;
use warnings;

use FindBin;
use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $monitoring = fixture('../monitoring');
my $folder = PostgreSQL::Test::Utils::tempdir;
my $http = HTTP::Tiny->new(timeout => 10, proxy => undef, http_proxy => undef);
my @started;

END
{
	# Test::More's exit status stays what it is.
	local $?;
	$_->kill_kill(grace => 5) for reverse @started;
}

sub program
{
	my ($name) = @_;
	my ($path) = grep { -x } map { "$_/$name" } split(/:/, $ENV{PATH}), '/usr/bin';
	return $path;
}

# Starts a program whose output goes into a log.
sub start
{
	my ($name, @arguments) = @_;
	push @started, IPC::Run::start([ program($name), @arguments ], '<', \undef, '>', "$folder/$name.log", '2>&1');
	return;
}

sub answer
{
	my ($port, $path) = @_;
	my $got = $http->get("http://127.0.0.1:$port$path");
	return $got->{success} ? $got->{content} : '';
}

# Waits until a program's page matches.
sub await_page
{
	my ($name, $port, $path, $pattern) = @_;
	my $page = '';
	my $good = eval
	{
		wait_until(sub { $page = answer($port, $path); $page =~ $pattern }, "$path of $name");
		1;
	};
	diag($@, $page, read_file("$folder/$name.log")) unless $good;
	return $page;
}

sub write_file
{
	my ($name, $text) = @_;
	open my $file, '>', "$folder/$name" or die "$folder/$name: $!";
	print $file $text;
	close $file or die "$folder/$name: $!";
	return "$folder/$name";
}

SKIP:
{
	skip 'promtool is not installed (Debian: prometheus)', 2 unless program('promtool');

	# Each rule: when it fires, and that it does not when all is well or before its time.
	my $rules = write_file('rules_test.yaml', <<"EOT" . <<'EOT');
rule_files: ["$monitoring/alerts.yaml"]
evaluation_interval: 1m
tests:
EOT
  - interval: 1m
    input_series:
      - {series: 'pgbackup_health_status{database="shop",instance="db1"}', values: '2x10 0x10'}
      - {series: 'pgbackup_health_status{database="crm",instance="db1"}', values: '1x120'}
      - {series: 'pgbackup_health_status{database="good",instance="db1"}', values: '0x120'}
      - {series: 'pgbackup_launcher_up{instance="db1"}', values: '1x20 0x3 1x20'}
    alert_rule_test:
      - {eval_time: 3m, alertname: PgbackupCritical}
      - eval_time: 6m
        alertname: PgbackupCritical
        exp_alerts:
          - exp_labels: {severity: critical, database: shop, instance: db1}
            exp_annotations:
              summary: "Backups of database shop need somebody now"
              description: "SELECT * FROM pgbackup.health() on db1 gives the reasons."
      - {eval_time: 15m, alertname: PgbackupCritical}
      - {eval_time: 30m, alertname: PgbackupWarning}
      - eval_time: 61m
        alertname: PgbackupWarning
        exp_alerts:
          - exp_labels: {severity: warning, database: crm, instance: db1}
            exp_annotations:
              summary: "Backups of database crm are not as they should be"
              description: "SELECT * FROM pgbackup.health() on db1 gives the reasons."
      - {eval_time: 22m, alertname: PgbackupLauncherDown}
      - eval_time: 23m
        alertname: PgbackupLauncherDown
        exp_alerts:
          - exp_labels: {severity: critical, instance: db1}
            exp_annotations:
              summary: "The launcher of pgbackup does not run on db1"
              description: "No backup starts until it does. The server's log tells why it ended."
      - {eval_time: 25m, alertname: PgbackupLauncherDown}
  - interval: 1m
    input_series:
      - {series: 'pgbackup_health_status{database="shop",instance="db1"}', values: '0x5'}
      - {series: 'pgbackup_last_success_timestamp_seconds{database="shop",instance="db1"}', values: '0x1600'}
    alert_rule_test:
      - {eval_time: 10m, alertname: PgbackupSilent}
      - eval_time: 22m
        alertname: PgbackupSilent
        exp_alerts:
          - exp_labels: {severity: critical}
            exp_annotations:
              summary: "No numbers about backups arrive"
              description: "The exporter, its role or the server is down; nobody would see a failed backup."
      - {eval_time: 26h, alertname: PgbackupTooOld}
      - eval_time: 1561m
        alertname: PgbackupTooOld
        exp_alerts:
          - exp_labels: {severity: critical, database: shop, instance: db1}
            exp_annotations:
              summary: "The newest backup of database shop is 1d 2h 1m 0s old"
              description: "No backup has completed since. pgbackup.list('shop') tells why."
  # A standby has no launcher; who takes over from a primary has one.
  - interval: 1m
    input_series:
      - {series: 'pgbackup_health_status{database="shop",instance="db2"}', values: '0x200'}
    alert_rule_test:
      - {eval_time: 100m, alertname: PgbackupSilent}
  - interval: 1m
    input_series:
      - {series: 'pgbackup_health_status{database="shop",instance="db2"}', values: '0x300'}
      - {series: 'pgbackup_launcher_up{instance="db1"}', values: '1x100'}
      - {series: 'pgbackup_launcher_up{instance="db2"}', values: '_x102 1x100'}
    alert_rule_test:
      - {eval_time: 120m, alertname: PgbackupSilent}
      - {eval_time: 170m, alertname: PgbackupSilent}
      - eval_time: 230m
        alertname: PgbackupSilent
        exp_alerts:
          - exp_labels: {severity: critical}
            exp_annotations:
              summary: "No numbers about backups arrive"
              description: "The exporter, its role or the server is down; nobody would see a failed backup."
      - {eval_time: 280m, alertname: PgbackupSilent}
EOT
	command_ok([ program('promtool'), 'check', 'rules', "$monitoring/alerts.yaml" ], 'the rules are valid');
	my ($out, $err);
	ok(IPC::Run::run([ program('promtool'), 'test', 'rules', $rules ], '>', \$out, '2>', \$err),
		'each fires when it should, and not before')
	  or diag($out, $err);
}

my @missing = grep { !program($_) } qw(prometheus prometheus-postgres-exporter prometheus-sql-exporter);
SKIP:
{
	skip "not installed: @missing", 9 if @missing;

	my $node = new_cluster('monitored', listen_addresses => '127.0.0.1');
	$node->safe_psql('postgres',
		q{CREATE ROLE monitor LOGIN; SELECT pgbackup.grant_access('monitor', 'viewer'); CREATE DATABASE shop});
	is(finished($node, start_backup($node, q{'postgres'})), 'completed', 'a backup');
	my $old = start_backup($node, q{'shop'});
	is(finished($node, $old), 'completed', 'and another one');
	$node->safe_psql('postgres',
		"UPDATE pgbackup.backups SET started_at = now() - interval '30 hours', created_at = now() - interval '30 hours' WHERE id = $old");

	my %port = map { $_ => PostgreSQL::Test::Cluster::get_free_port() } qw(postgres sql prometheus);
	my $server = sprintf 'monitor@127.0.0.1:%d/postgres?sslmode=disable', $node->port;
	{
		local $ENV{DATA_SOURCE_NAME} = "postgresql://$server";
		start('prometheus-postgres-exporter', "--web.listen-address=127.0.0.1:$port{postgres}",
			'--disable-default-metrics', '--disable-settings-metrics', "--extend.query-path=$monitoring/postgres_exporter.yaml");
	}
	my $config = read_file("$monitoring/sql_exporter.yaml");
	is($config =~ s{monitor\@127\.0\.0\.1:5432/postgres\?sslmode=disable}{$server}, 1, 'sql_exporter.yaml names a server');
	start('prometheus-sql-exporter', '-config.file', write_file('sql_exporter.yaml', $config),
		'-web.listen-address', "127.0.0.1:$port{sql}");
	start('prometheus', '--config.file=' . write_file('prometheus.yaml', <<"EOT"), "--storage.tsdb.path=$folder/tsdb", "--web.listen-address=127.0.0.1:$port{prometheus}");
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ["$monitoring/alerts.yaml"]
scrape_configs:
  - job_name: pgbackup
    static_configs: [{targets: ["127.0.0.1:$port{postgres}", "127.0.0.1:$port{sql}"]}]
EOT

	# What the exporter makes of its file are the series of pgbackup.metrics, by name and label, but for the
	# counts of runs, which only sql_exporter has.
	my $page = await_page('prometheus-postgres-exporter', $port{postgres}, '/metrics', qr/^pgbackup_last_success/m);
	my %exported;
	while ($page =~ /^(pgbackup_\w+)(?:\{(.*?)\})? (\S+)$/mg)
	{
		my ($name, $labels, $value) = ($1, $2 // '', $3);
		my %label = $labels =~ /(\w+)="([^"]*)"/g;
		delete $label{server};
		$exported{ join ' ', $name, map { "$_=$label{$_}" } sort keys %label } = 1 unless $value eq 'NaN';
	}
	my $wanted = $node->safe_psql('postgres', q{
		SELECT m.name || coalesce((SELECT string_agg(format(' %s=%s', key, value), '' ORDER BY key) FROM jsonb_each_text(m.labels)), '')
		  FROM pgbackup.metrics m WHERE m.name <> 'pgbackup_runs'});
	is(join("\n", sort keys %exported), join("\n", sort { $a cmp $b } split /\n/, $wanted), 'postgres_exporter has every series of pgbackup.metrics');

	$page = await_page('prometheus-sql-exporter', $port{sql}, '/metrics', qr/^sql_pgbackup\{/m);
	my %series = map { $_ => 1 } $page =~ /^sql_pgbackup\{[^}]*\bseries="(\w+)"/mg;
	is_deeply([ sort keys %series ],
		[ split /\n/, $node->safe_psql('postgres', 'SELECT DISTINCT name COLLATE "C" FROM pgbackup.metrics ORDER BY 1') ],
		'sql_exporter has every series')
	  or diag($page);

	# Through Prometheus: the value, and the alert that needs no time.
	my $query = '/api/v1/query?query=';
	$page = await_page('prometheus', $port{prometheus}, $query . 'pgbackup_health_status', qr/"shop"/);
	my %status = map { $_->{metric}{database} => $_->{value}[1] } @{ decode_json($page || '{"data":{"result":[]}}')->{data}{result} };
	is($status{shop}, 2, 'the state of a database whose backup is old arrives in Prometheus');
	is($status{postgres}, 0, 'and that of one that is well');
	$page = await_page('prometheus', $port{prometheus}, '/api/v1/alerts', qr/"PgbackupTooOld".*"firing"/s);
	my @firing = map { "$_->{labels}{alertname} $_->{labels}{database}" }
	  grep { $_->{state} eq 'firing' } @{ decode_json($page || '{"data":{"alerts":[]}}')->{data}{alerts} };
	is_deeply(\@firing, ['PgbackupTooOld shop'], 'and its alert fires');
	like(await_page('prometheus', $port{prometheus}, $query . 'sum(up)', qr/"2"\]/), qr/"2"\]/, 'both exporters are scraped');
	$node->stop;
}

done_testing();
