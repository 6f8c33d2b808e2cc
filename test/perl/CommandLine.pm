# The program's own command line, as somebody without a server uses it.
package CommandLine;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;

our @EXPORT = qw(pgbackup_path pgbackup flip_bit cut_byte swap_files);

sub pgbackup_path
{
	my ($node) = @_;
	return $node->config_data('--bindir') . '/pgbackup';
}

# Runs the program; returns exit status, standard output and standard error.
sub pgbackup
{
	my ($node, @arguments) = @_;
	my ($out, $err) = ('', '');
	delete local $ENV{PGDATABASE};  # which the test framework sets
	IPC::Run::run([ pgbackup_path($node), @arguments ], '<', \'', '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

sub rewrite
{
	my ($file, $change) = @_;
	my $bytes = PgBackup::read_file($file);
	$change->(\$bytes);
	open my $handle, '>:raw', $file or die "$file: $!";
	print {$handle} $bytes;
	close $handle or die "$file: $!";
	return;
}

# Damage to stored objects.
sub flip_bit
{
	my ($file) = @_;
	return rewrite($file, sub { substr(${ $_[0] }, length(${ $_[0] }) / 2, 1) ^= "\x01" });
}

sub cut_byte
{
	my ($file) = @_;
	return rewrite($file, sub { chop ${ $_[0] } });
}

sub swap_files
{
	my ($one, $other) = @_;
	rename $one, "$one.swap" or die "$one: $!";
	rename $other, $one or die "$other: $!";
	rename "$one.swap", $other or die "$one.swap: $!";
	return;
}

1;
