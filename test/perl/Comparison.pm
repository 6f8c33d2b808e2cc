# Whether two databases are the same: what their catalogs, and their rows, say as lines, and where lines differ.
package Comparison;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PgBackup;

our @EXPORT = qw(catalog_as_lines script_as_lines differences);

# What a script below test/ prints in a database, as sorted lines.
sub script_as_lines
{
	my ($node, $database, $script, @variables) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ $node->installed_command('psql'), '-XqAt', '-h', $node->host, '-p', $node->port, '-v', 'ON_ERROR_STOP=1',
			(map { ('-v', $_) } @variables), '-d', $database, '-f', fixture($script) ], '>', \$out, '2>', \$err)
	  or die "$script fails in $database: $err";
	return sort split /\n/, $out;
}

# What the catalogs of a database say, as sorted lines.
sub catalog_as_lines
{
	my ($node, $database) = @_;
	return script_as_lines($node, $database, 'fixtures/everything/catalog.sql');
}

# Lines that only one of two lists has.
sub differences
{
	my ($one, $other) = @_;
	my (%count, @found);
	$count{$_}++ for @$one;
	$count{$_}-- for @$other;
	push @found, ($count{$_} > 0 ? 'only before: ' : 'only after: ') . $_ for grep { $count{$_} } sort keys %count;
	return @found;
}

1;
