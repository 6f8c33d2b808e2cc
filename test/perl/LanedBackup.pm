# Turns a backup of format parallel in a directory into one with objects of their own for some
# tables: archives of named tables, and ranges of one table's pages as SQL with COPY. Written from
# docs/storage-format.md alone. The database must not have changed since the backup.
package LanedBackup;

use strict;
use warnings;

use Digest::SHA;
use Encode qw(encode decode);
use Exporter 'import';
use IPC::Run;
use JSON::PP;
use PgBackup;

our @EXPORT = qw(lane_backup read_manifest write_manifest store_object object_of);

my $json = JSON::PP->new->utf8->canonical;

sub identifier
{
	my ($name) = @_;
	$name =~ s/"/""/g;
	return "\"$name\"";
}

sub qualified
{
	my ($table) = @_;
	return identifier($table->[0]) . '.' . identifier($table->[1]);
}

sub output_of
{
	my ($program, @arguments) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ $program, @arguments ], '<', \'', '>', \$out, '2>', \$err) or die "$program failed: $err";
	return $out;
}

sub read_manifest
{
	my ($folder) = @_;
	return $json->decode(read_file("$folder/manifest.json"));
}

# Writes the manifest and tells the catalog.
sub write_manifest
{
	my ($node, $id, $folder, $manifest) = @_;
	my $text = $json->encode($manifest);
	write_file("$folder/manifest.json", $text);
	my $checksum = Digest::SHA::sha256_hex($text);
	$node->safe_psql('postgres', "UPDATE pgbackup.backups SET checksum = '$checksum' WHERE id = $id");
	return;
}

sub write_file
{
	my ($file, $bytes) = @_;
	open my $handle, '>:raw', $file or die "$file: $!";
	print $handle $bytes;
	close $handle or die "$file: $!";
	return;
}

# Stores content as object $name and returns what the manifest says of it, with the given fields.
sub store_object
{
	my ($folder, $name, $content, %fields) = @_;
	my ($packed, $err) = ('', '');
	IPC::Run::run([ 'zstd', '-q', '-c' ], '<', \$content, '>', \$packed, '2>', \$err) or die "zstd failed: $err";
	write_file("$folder/$name", $packed);
	return {
		name => $name,
		kind => 'archive',
		sections => ['data'],
		%fields,
		raw_size => length $content,
		size => length $packed,
		segments => [ { name => $name, size => length $packed, sha256 => Digest::SHA::sha256_hex($packed) } ] };
}

# The object of a manifest with this name.
sub object_of
{
	my ($manifest, $name) = @_;
	my ($found) = grep { $_->{name} eq $name } @{ $manifest->{objects} };
	return $found // die "no object $name";
}

# $archives is a list of lists of tables, $ranges a list of [table, number of ranges]; a table is
# [schema, name], in characters. Returns the folder.
sub lane_backup
{
	my ($node, $id, $archives, $ranges) = @_;
	my $row = row_of($node, $id);
	my $folder = $node->basedir . "/store/$row->{file_name}";
	my $manifest = read_manifest($folder);
	my $encoding = $manifest->{database}{encoding};
	my $perl_encoding = { UTF8 => 'UTF-8', LATIN1 => 'iso-8859-1' }->{$encoding} // die $encoding;
	my @connection = ('-h', $node->host, '-p', $node->port, '-d', $row->{database});
	my $pg_dump = $node->installed_command('pg_dump');
	my @dump = ($pg_dump, '-Fc', '-Z0', '-E', $encoding, '--section=data', @connection);
	push @dump, '--statistics' if `$pg_dump --version` =~ / (1[89]|[2-9]\d)/;
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	my $query = sub { return output_of($node->installed_command('psql'), '-XAtq', @connection, '-c', $_[0]) };
	my $manifest_tables = sub { return [ map { { schema => $_->[0], name => $_->[1] } } @_ ] };
	my $pattern = sub { return encode($perl_encoding, qualified($_[0])) };

	my @own = ((map { @$_ } @$archives), (map { $_->[0] } @$ranges));
	my @objects = grep { $_->{name} ne 'data-000.dump.zst' } @{ $manifest->{objects} };
	push @objects, store_object($folder, 'data-000.dump.zst',
		output_of(@dump, map { '--exclude-table-data=' . $pattern->($_) } @own));
	my $number = 0;
	for my $tables (@$archives)
	{
		push @objects, store_object($folder, sprintf('data-%03d.dump.zst', ++$number),
			output_of(@dump, '--strict-names', map { '--table=' . $pattern->($_) } @$tables),
			tables => $manifest_tables->(@$tables));
	}
	for my $range (@$ranges)
	{
		my ($table, $count) = @$range;
		my $name = encode('UTF-8', qualified($table));
		my $literal = $name =~ s/'/''/gr;
		my @columns = map { decode('UTF-8', $_) } split /\n/, $query->(qq{
			SELECT attname FROM pg_attribute WHERE attrelid = '$literal'::regclass AND attnum > 0
			   AND NOT attisdropped AND attgenerated = '' ORDER BY attnum});
		my $list = join ', ', map { encode('UTF-8', identifier($_)) } @columns;
		my $pages = $query->("SELECT pg_relation_size('$literal') / current_setting('block_size')::int");
		for my $i (0 .. $count - 1)
		{
			my ($first, $end) = (int($pages * $i / $count), $i == $count - 1 ? undef : int($pages * ($i + 1) / $count));
			my $where = "ctid >= '($first,0)'" . (defined $end ? " AND ctid < '($end,0)'" : '');
			my $rows = output_of($node->installed_command('psql'), '-XAtq', @connection, '-c',
				"COPY (SELECT $list FROM ONLY $name WHERE $where) TO STDOUT WITH (ENCODING '$encoding')");
			my $begin =
			  "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\nSET statement_timeout = 0;\n"
			  . "SET row_security = off;\nSELECT pg_catalog.set_config('search_path', '', false);\n"
			  . "COPY $name ($list) FROM stdin WITH (ENCODING '$encoding');\n";
			push @objects, store_object($folder, sprintf('data-%03d.sql.zst', ++$number), "$begin$rows\\.\n",
				kind => 'copy',
				tables => $manifest_tables->($table),
				copy => { columns => [@columns], first_page => $first, end_page => $end });
		}
	}
	$manifest->{objects} = \@objects;
	write_manifest($node, $id, $folder, $manifest);
	return $folder;
}

1;
