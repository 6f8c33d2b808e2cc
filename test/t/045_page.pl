# The page in a browser: with no, one and a thousand backups, on a phone and on a desk, light and dark. It
# fits, says nothing on the console, and whoever does not see it is told what its pictures show. Needs
# Chromium (Debian: chromium).
use strict;
use warnings;

use FindBin;
use IPC::Run;
use JSON::PP;
use lib "$FindBin::RealBin/../perl";
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($browser) = grep { -x } map { ("$_/chromium", "$_/chromium-browser") } split(/:/, $ENV{PATH}), '/usr/bin';
plan skip_all => 'Chromium is not installed' unless $browser;

my $folder = PostgreSQL::Test::Utils::tempdir;
# For whoever wants to look: PGBACKUP_TEST_SCREENSHOTS=/folder keeps pictures there.
my $pictures = $ENV{PGBACKUP_TEST_SCREENSHOTS};

# What a visitor would notice, measured by the page itself; its own policy allows no script, so the copy that
# is measured goes without that.
my $measure = <<'EOT';
<pre id="measured"></pre><script>
const of = (selector, what) => [...document.querySelectorAll(selector)].map(what);
const box = element => element.getBoundingClientRect();
document.getElementById('measured').textContent = JSON.stringify({
  width: document.documentElement.clientWidth, needed: document.documentElement.scrollWidth,
  beyond: of('body *', e => e).filter(e => !e.closest('section, pre, .days span') && box(e).right > document.documentElement.clientWidth + 1).map(e => e.outerHTML.slice(0, 80)),
  nameless: of('svg, progress, ol.days', e => e.getAttribute('aria-label') || '').filter(name => !name.trim()).length,
  pictures: of('svg', e => e.getAttribute('role') + ' ' + e.getAttribute('aria-label')),
  flat: of('svg', box).filter(b => b.width < 20 || b.height < 20).length,
  articles: of('article', e => e.querySelector('h3').textContent),
  days: of('ol.days', e => e.children.length),
  background: getComputedStyle(document.body).backgroundColor });
</script>
EOT

sub run_browser
{
	my (@arguments) = @_;
	my ($out, $err) = ('', '');
	local $ENV{HOME} = $folder;
	IPC::Run::run([ $browser, qw(--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-dev-shm-usage
			  --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars
			  --enable-logging=stderr --log-level=0), "--user-data-dir=$folder/profile", @arguments ],
		'<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return ($out, join "\n", grep { /:CONSOLE[:(]/ && !/source: chrome:/ } split /\n/, $err);
}

sub write_file
{
	my ($name, $text) = @_;
	open my $file, '>:raw', "$folder/$name" or die "$folder/$name: $!";
	print $file $text;
	close $file or die "$folder/$name: $!";
	return "$folder/$name";
}

# A frame of a phone's width, because a window of Chromium is never narrower than 500 pixels.
sub measured
{
	my ($html, $width, @arguments) = @_;
	(my $page = $html) =~ s{<meta http-equiv="Content-Security-Policy"[^>]*>}{};
	$page =~ s{</body>}{$measure</body>};
	my $path = write_file('measured.html', $page);
	my $frame = write_file('frame.html', <<"EOT");
<body style="margin:0"><iframe id="page" style="border:0;width:${width}px;height:4000px" src="file://$path"></iframe><pre id="result"></pre>
<script>document.getElementById('page').onload = event =>
  document.getElementById('result').textContent = event.target.contentDocument.getElementById('measured').textContent;</script></body>
EOT
	my ($dom, $console) = run_browser('--allow-file-access-from-files', '--virtual-time-budget=5000',
		'--window-size=1400,4000', @arguments, '--dump-dom', "file://$frame");
	my ($json) = $dom =~ m{<pre id="result">(.+?)</pre>}s or die "the browser measured nothing: $console $dom";
	$json =~ s/&lt;/</g;
	$json =~ s/&gt;/>/g;
	$json =~ s/&amp;/&/g;
	return (decode_json($json), $console);
}

my $node = new_cluster('page', 'pgbackup.cluster_name' => 'production <1> & more');
$node->safe_psql('postgres', q{
	CREATE DATABASE "an_uncommonly_long_name_of_a_database_without_any_blank_in_it";
	CREATE FUNCTION made_up(database name, n int, every interval) RETURNS void LANGUAGE sql AS $$
		INSERT INTO pgbackup.backups (database, storage, format, status, file_size, raw_size, message, hint, created_at, started_at, finished_at)
		SELECT database, 's3://a-bucket-with-a-long-name/production/of/everything?region=eu-1', 'custom',
		       CASE WHEN i % 17 = 3 THEN 'failed' ELSE 'completed' END,
		       CASE WHEN i % 17 <> 3 THEN (1000000 + 1000 * (n - i) + 40000 * sin(i)) * 1000 END, 4000000,
		       CASE WHEN i % 17 = 3 THEN 'could not write s3://a-bucket-with-a-long-name/production/of/everything/manifest.json: access denied <b>' END,
		       CASE WHEN i % 17 = 3 THEN 'Allow s3:PutObject to the role.' END, t, t, t + (100 + 20 * cos(i)) * interval '1 s'
		  FROM generate_series(n, 1, -1) AS i, LATERAL (SELECT now() - i * every) AS u (t) $$});

my @cases = (
	[ 'no backup', '', 0 ],
	[ 'one backup', q{SELECT made_up('postgres', 1, '1 hour')}, 0 ],
	[   'a thousand backups',
		q{SELECT made_up('postgres', 998, '1 hour'), made_up('an_uncommonly_long_name_of_a_database_without_any_blank_in_it', 1, '1 hour')}, 2 ]);
for my $case (@cases)
{
	my ($title, $sql, $charts) = @$case;
	$node->safe_psql('postgres', $sql) if $sql;
	my $html = $node->safe_psql('postgres', 'SELECT pgbackup.dashboard()');
	for my $width (360, 1200)
	{
		my ($seen, $console) = measured($html, $width);
		is($seen->{needed}, $seen->{width}, "$title: fits $width pixels") or diag(explain($seen));
		is_deeply($seen->{beyond}, [], 'and nothing sticks out');
		next if $width != 360;
		is($console, '', 'nothing on the console');
		is($seen->{nameless}, 0, 'every picture, bar and calendar has a name');
		is(scalar @{ $seen->{pictures} }, $charts, 'as many charts as there are to draw');
		is_deeply([ grep { !/^img (?:Size|Duration): .+ to .+/ } @{ $seen->{pictures} } ], [], 'which say what they show');
		is($seen->{flat}, 0, 'and are large enough to see');
		is(scalar @{ $seen->{articles} }, 2, 'both databases are there');
		is_deeply($seen->{days}, [ 35, 35 ], 'with a calendar of five weeks');
	}
	# As it is, with its own policy.
	my $path = write_file('page.html', $html);
	my (undef, $console) = run_browser('--virtual-time-budget=2000', '--window-size=1200,1600', '--dump-dom', "file://$path");
	is($console, '', 'nothing on the console with its own policy either');
	next unless $pictures;
	(my $name = $title) =~ tr/ /_/;
	my $frame = write_file('phone.html', qq{<body style="margin:0"><iframe style="border:0;width:360px;height:1600px" src="file://$path"></iframe></body>});
	for my $dark (0, 1)
	{
		my @dark = $dark ? ('--force-dark-mode', '--blink-settings=preferredColorScheme=0') : ();
		my $mode = $dark ? 'dark' : 'light';
		run_browser(@dark, '--window-size=1200,1600', "--screenshot=$pictures/${name}_$mode.png", "file://$path");
		run_browser(@dark, '--window-size=500,1600', "--screenshot=$pictures/${name}_phone_$mode.png", "file://$frame");
	}
}

# The reader's system decides about light and dark.
my $html = $node->safe_psql('postgres', 'SELECT pgbackup.dashboard()');
my ($light) = measured($html, 1200);
my ($dark) = measured($html, 1200, '--blink-settings=preferredColorScheme=0');
is($light->{background}, 'rgb(246, 247, 249)', 'light');
is($dark->{background}, 'rgb(13, 17, 23)', 'and dark');

$node->stop;
done_testing();
