# An installation of the server that a test may change.
package Installation;

use strict;
use warnings;

use Exporter 'import';
use PgBackup;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(copy_of_installation library_of change_library);

# Copies the programs, libraries and files of the server to where they find each other; returns install_path of a cluster.
sub copy_of_installation
{
	my $folder = PostgreSQL::Test::Utils::tempdir();
	my @parts = map { my ($out) = run_command([ 'pg_config', $_ ]); $out } qw(--bindir --pkglibdir --sharedir);
	system_or_bail('cp', '-r', '--parents', @parts, $folder);
	return $folder . $parts[0] =~ s{/bin$}{}r;
}

# The file of pgbackup's library.
sub library_of { my ($node) = @_; return $node->config_data('--pkglibdir') . '/pgbackup.so' }

# As an upgrade does; the content is what `change` makes of it.
sub change_library
{
	my ($node, $change) = @_;
	my $file = library_of($node);
	open my $handle, '>:raw', "$file.new" or die "$file.new: $!";
	print $handle $change->(read_file($file));
	close $handle or die "$file.new: $!";
	rename "$file.new", $file or die "$file: $!";
	return;
}

1;
