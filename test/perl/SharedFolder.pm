# A folder of the storage that servers share in a test, asked and changed directly: below a directory or
# in the S3 server's bucket.
package SharedFolder;

use strict;
use warnings;

use File::Path qw(make_path);
use PgBackup;
use S3;

# Below a directory that exists.
sub in_directory
{
	my ($class, $here) = @_;
	my $path = "$here/store";
	mkdir $path or die "$path: $!";
	return bless { path => $path, here => $here }, $class;
}

sub in_s3
{
	my ($class, $folder) = @_;
	return bless { folder => $folder }, $class;
}

# Settings of a server that uses it.
sub settings
{
	my ($self) = @_;
	return s3_settings($self->{folder}) if defined $self->{folder};
	return ('pgbackup.storage' => "file://$self->{path}");
}

# Options of the command line that name it.
sub arguments
{
	my ($self) = @_;
	return ('-s', "file://$self->{path}") unless defined $self->{folder};
	my %settings = $self->settings;
	delete $settings{'pgbackup.s3_part_size'};
	my $storage = delete $settings{'pgbackup.storage'};
	return ('-s', $storage, map { s/^pgbackup\.(.*)/--$1/r =~ tr/_/-/r, $settings{$_} } sort keys %settings);
}

# Everything that lies there but the servers' markers, sorted.
sub files
{
	my ($self) = @_;
	return defined $self->{folder} ? s3_keys($self->{folder}) : storage_files($self->{path});
}

# Changes the text of each server's marker.
sub change_markers
{
	my ($self, $change) = @_;
	if (defined $self->{folder})
	{
		s3_put($_, $change->(s3_read($_))) for s3_markers($self->{folder});
		return;
	}
	for my $file (glob "$self->{path}/pgbackup-instances/*.json")
	{
		my $text = $change->(read_file($file));
		unlink $file or die "$file: $!";
		open my $out, '>', $file or die "$file: $!";
		print {$out} $text;
		close $out or die "$file: $!";
	}
	return;
}

# Ways in which it can seem to be empty although it is not: what happens, what a removal then says, and
# how it is mended.
sub losses
{
	my ($self) = @_;
	if (defined $self->{folder})
	{
		return ([ 'denied', qr/access denied/i,
				sub { s3_deny('s3:*', "$ENV{PGBACKUP_TEST_S3_BUCKET}/$self->{folder}/*") }, sub { s3_deny() } ]);
	}
	my ($path, $here) = @$self{qw(path here)};
	my $away = sub { rename $path, "$path.away" or die "$path: $!" };
	my $back = sub { rename "$path.away", $path or die "$path: $!" };
	return (
		[ 'another directory is mounted in its place', qr/may not be the storage it was/,
			sub { $away->(); mkdir $path or die "$path: $!" }, sub { rmdir $path or die "$path: $!"; $back->() } ],
		[ 'a symbolic link is in its place', qr/./,
			sub { $away->(); symlink $here, $path or die "$path: $!" }, sub { unlink $path or die "$path: $!"; $back->() } ]);
}

1;
