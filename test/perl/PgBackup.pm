# What the TAP tests share: a cluster that preloads pgbackup, slow programs to catch a run in the
# middle, and ways to look at storage and at what a database holds.
package PgBackup;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Find;
use File::Path qw(make_path);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

our @EXPORT = qw(new_cluster fixture storage_files backup_files stored_bytes database_as_text
  start_backup start_restore agent_of finished row_of fails_with slow_programs wait_for_file wait_until
  processes_of files_open_outside dumping_pid launcher_pid read_file restart_settings);

# Without credentials the agent would ask the metadata service of a cloud instance: not from here.
$ENV{AWS_EC2_METADATA_DISABLED} = 'true';

my $here = abs_path(dirname(__FILE__));

# The path of a file below test/.
sub fixture
{
	my ($name) = @_;
	return "$here/../$name";
}

# A started cluster with the extension in database postgres and storage in a folder of its own.
# Settings is a hash of lines for postgresql.conf; the default storage is file://<basedir>/store. -extension => 0
# creates no extension, -init are further arguments of initdb, -install_path is that of another installation.
sub new_cluster
{
	my ($name, %settings) = @_;
	my $extension = delete $settings{-extension} // 1;
	my $init = delete $settings{-init} // [];
	my $node = PostgreSQL::Test::Cluster->new($name, install_path => delete $settings{-install_path});
	$node->init(extra => $init);
	my $store = $node->basedir . '/store';
	mkdir $store or die "mkdir $store: $!";
	my %all = (
		shared_preload_libraries => 'pgbackup',
		'pgbackup.storage' => "file://$store",
		'pgbackup.schedule' => '',
		'pgbackup.verify_schedule' => '',
		'pgbackup.recent_backup_window' => 0,
		%settings);
	$node->append_conf('postgresql.conf', "$_ = '$all{$_}'") for sort keys %all;
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION pgbackup') if $extension;
	return $node;
}

# Changes settings and lets the server read them.
sub restart_settings
{
	my ($node, %settings) = @_;
	$node->safe_psql('postgres', join "\n", map { "ALTER SYSTEM SET $_ = '$settings{$_}';" } sort keys %settings);
	$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
	for my $name (sort keys %settings)
	{
		$node->poll_query_until('postgres',
			"SELECT setting = '$settings{$name}' FROM pg_settings WHERE name = '$name'")
		  or die "setting $name did not arrive";
	}
	return;
}

# All files below a folder, relative and sorted, but for the markers of servers.
sub storage_files
{
	my ($folder) = @_;
	my @files;
	return () unless -d $folder;
	find({ no_chdir => 1, wanted => sub { push @files, substr($_, length($folder) + 1) if -f $_ } }, $folder);
	@files = sort grep { !m{^pgbackup-instances/} } @files;
	return @files;
}

# The same of a backup's folder, without what is not in its manifest: its claim, its marks.
sub backup_files
{
	return grep { $_ ne 'claim.json' && $_ ne 'marks.json' } storage_files(@_);
}

sub stored_bytes
{
	my ($folder) = @_;
	my $sum = 0;
	$sum += -s "$folder/$_" for grep { !m{(claim|marks)\.json$} } storage_files($folder);
	return $sum;
}

# Everything a database holds, as sorted lines that do not depend on physical order.
sub database_as_text
{
	my ($node, $database) = @_;
	my $quoted = $database;
	$quoted =~ s/([\\'])/\\$1/g;
	my ($out, $err) = ('', '');
	IPC::Run::run([ $node->installed_command('pg_dump'), '--inserts', '-h', $node->host, '-p', $node->port,
			'-d', "dbname='$quoted'" ], '>', \$out, '2>', \$err)
	  or die "pg_dump of $database failed: $err";
	# The dump's own random key (\restrict) differs every time.
	return join "\n", sort grep { !/^\\(un)?restrict / } split /\n/, $out;
}

# Starts a backup with the arguments of pgbackup.create (SQL text); returns its id.
sub start_backup
{
	my ($node, $arguments) = @_;
	return $node->safe_psql('postgres', 'SELECT pgbackup.create(' . ($arguments // '') . ')');
}

sub start_restore
{
	my ($node, $arguments) = @_;
	return $node->safe_psql('postgres', "SELECT pgbackup.restore($arguments)");
}

# The process id of the agent of a run, which is there a moment after the run has begun. Never empty: kill
# would take that for the test's own process group.
sub agent_of
{
	my ($node, $id) = @_;
	my $pid = '';
	wait_until(sub {
		$pid = $node->safe_psql('postgres', "SELECT agent_pid FROM pgbackup.progress WHERE id = $id");
		return $pid =~ /^\d+$/;
	}, "the agent of run $id");
	return $pid;
}

# Waits for a run and returns its status.
sub finished
{
	my ($node, $id) = @_;
	return $node->safe_psql('postgres',
		"SELECT pgbackup.wait($id, interval '$PostgreSQL::Test::Utils::timeout_default s')");
}

# Columns of a backup as a hash.
sub row_of
{
	my ($node, $id, $table) = @_;
	$table //= 'backups';
	my %row;
	for my $line (split /\n/, $node->safe_psql('postgres', qq{
		SELECT key || '=' || replace(coalesce(value, ''), E'\\n', ' | ')
		  FROM pgbackup.$table t, jsonb_each_text(to_jsonb(t) - 'manifest' - 'options') WHERE t.id = $id}))
	{
		my ($key, $value) = split /=/, $line, 2;
		$row{$key} = $value;
	}
	return \%row;
}

# Runs a backup that must fail; checks the message and that a hint says what to do, and that storage
# holds nothing new. $folder may be undef when storage is elsewhere.
sub fails_with
{
	my ($node, $arguments, $pattern, $title, $folder) = @_;
	my @before = defined $folder ? storage_files($folder) : ();
	my $id = start_backup($node, $arguments);
	is(finished($node, $id), 'failed', "$title: the backup is failed");
	my $row = row_of($node, $id);
	like("$row->{message} $row->{detail}", $pattern, "$title: the row says why");
	isnt($row->{hint}, '', "$title: the row says what to do");
	is_deeply([ storage_files($folder) ], \@before, "$title: nothing is left in storage")
	  if defined $folder;
	return $id;
}

# A folder with the server's client programs, of which pg_dump stops after so many bytes of data: it
# makes the file "reached" (holding its process id) and goes on when the file "go" exists.
sub slow_programs
{
	my ($node, $bytes) = @_;
	$bytes //= 20_000;
	my $folder = $node->basedir . '/slow';
	my $bin = $node->config_data('--bindir');
	make_path($folder);
	symlink "$bin/$_", "$folder/$_" for qw(pg_dumpall pg_restore psql);
	PostgreSQL::Test::Utils::append_to_file("$folder/pg_dump", <<"SCRIPT");
#!/bin/bash
case "\$*" in
*--version*|*--section=pre-data*) exec "$bin/pg_dump" "\$@" ;;
esac
"$bin/pg_dump" "\$@" | {
  head -c $bytes
  echo \$\$ > "$folder/reached.new"
  mv "$folder/reached.new" "$folder/reached"
  # Waits as long as the program itself lives.
  while [ ! -e "$folder/go" ] && read -r _ _ _ parent _ < "/proc/\$BASHPID/stat" && [ "\$parent" = "\$\$" ]; do
    read -r -t 0.05 <> <(:)
  done
  [ -e "$folder/go" ] || exit 1
  exec cat
}
exit "\${PIPESTATUS[0]}"
SCRIPT
	chmod 0755, "$folder/pg_dump";
	return $folder;
}

# The process id of the pg_dump that is inside the slow one, dumping data.
sub dumping_pid
{
	my ($node) = @_;
	my $program = $node->config_data('--bindir') . '/pg_dump ';
	my $port = "port='" . $node->port . "'";
	my @found;
	for my $pid (processes_of($program))
	{
		my $line = (read_file("/proc/$pid/cmdline") // '') =~ tr/\0/ /r;
		push @found, $pid
		  if index($line, $program) == 0 && index($line, $port) > 0 && $line !~ /--section=pre-data/;
	}
	die "not exactly one pg_dump: @found" unless @found == 1;
	return $found[0];
}

# Regular files that a process and its children have open, outside of a folder: what a dump spools
# would be among them.
sub files_open_outside
{
	my ($agent, $folder) = @_;
	my @found;
	for my $pid (processes_of(''))
	{
		my ($parent) = (read_file("/proc/$pid/stat") // '') =~ /^\d+ \(.*\) \S (\d+)/s;
		next unless $pid == $agent || ($parent // 0) == $agent;
		for my $link (glob "/proc/$pid/fd/*")
		{
			my $target = readlink $link // next;
			push @found, "$pid: $target"
			  if $target =~ m{^/} && $target !~ m{^/(dev/|proc/|memfd:)} && index($target, $folder) != 0;
		}
	}
	return @found;
}

sub wait_for_file
{
	my ($file) = @_;
	wait_until(sub { -e $file }, "file $file");
	return;
}

# Polls a condition; dies with its description when it does not come true in time.
sub wait_until
{
	my ($condition, $what, $seconds) = @_;
	$seconds //= $PostgreSQL::Test::Utils::timeout_default;
	for (my $i = 0; $i < $seconds * 20; $i++)
	{
		return 1 if $condition->();
		usleep(50_000);
	}
	die "timed out waiting for $what";
}

# Process ids whose command line mentions a text, without our own.
sub processes_of
{
	my ($text) = @_;
	my @found;
	for my $folder (glob '/proc/[0-9]*')
	{
		my ($pid) = $folder =~ /(\d+)$/;
		next if $pid == $$;
		my $line = read_file("$folder/cmdline") // next;
		$line =~ tr/\0/ /;
		push @found, $pid if index($line, $text) >= 0;
	}
	return @found;
}

sub read_file
{
	my ($file) = @_;
	open my $handle, '<:raw', $file or return;
	local $/ = undef;
	my $content = <$handle>;
	close $handle;
	return $content;
}

sub launcher_pid
{
	my ($node) = @_;
	return $node->safe_psql('postgres', 'SELECT pgbackup.launcher_pid()');
}

1;
