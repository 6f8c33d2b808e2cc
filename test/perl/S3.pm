# The S3 server that the test run has started, asked directly with curl.
package S3;

use strict;
use warnings;

use Exporter 'import';
use PgBackup qw(read_file);

our @EXPORT = qw(s3_missing s3_settings s3_keys s3_uploads s3_curl s3_secret s3_access_key);

# Why S3 tests cannot run here, or undef.
sub s3_missing
{
	return $ENV{PGBACKUP_TEST_S3_ENDPOINT}
	  ? undef
	  : 'no S3 server: PGBACKUP_TEST_S3_ENDPOINT is not set (scripts/test starts one)';
}

# Settings that point pgbackup at a folder of its own in the test bucket.
sub s3_settings
{
	my ($folder, %more) = @_;
	return (
		'pgbackup.storage' => "s3://$ENV{PGBACKUP_TEST_S3_BUCKET}/$folder",
		'pgbackup.s3_endpoint' => $ENV{PGBACKUP_TEST_S3_ENDPOINT},
		'pgbackup.s3_region' => $ENV{PGBACKUP_TEST_S3_REGION} // 'us-east-1',
		'pgbackup.s3_credentials_file' => $ENV{PGBACKUP_TEST_S3_CREDENTIALS_FILE},
		'pgbackup.s3_part_size' => '5MB',
		%more);
}

sub from_credentials
{
	my ($key) = @_;
	my ($value) = read_file($ENV{PGBACKUP_TEST_S3_CREDENTIALS_FILE}) =~ /^\s*$key\s*=\s*(\S+)/m;
	return $value;
}

sub s3_access_key { return from_credentials('aws_access_key_id') }
sub s3_secret { return from_credentials('aws_secret_access_key') }

# A GET on the bucket with the query given; dies unless it answers 200.
sub s3_curl
{
	my ($query) = @_;
	my $region = $ENV{PGBACKUP_TEST_S3_REGION} // 'us-east-1';
	open my $pipe, '-|', 'curl', '-sS', '-f', '--aws-sigv4', "aws:amz:$region:s3",
	  '--user', s3_access_key() . ':' . s3_secret(),
	  "$ENV{PGBACKUP_TEST_S3_ENDPOINT}/$ENV{PGBACKUP_TEST_S3_BUCKET}?$query"
	  or die "curl: $!";
	local $/ = undef;
	my $answer = <$pipe>;
	close $pipe or die "the S3 server did not answer ?$query";
	return $answer;
}

# Keys below a folder, without the folder, sorted.
sub s3_keys
{
	my ($folder) = @_;
	my $answer = s3_curl("list-type=2&prefix=$folder%2F");
	my @keys = sort map { substr $_, length($folder) + 1 } $answer =~ m{<Key>([^<]*)</Key>}g;
	return @keys;
}

# How many multipart uploads are open below a folder.
sub s3_uploads
{
	my ($folder) = @_;
	my $answer = s3_curl("prefix=$folder%2F&uploads=");
	return scalar(() = $answer =~ m{<Upload>}g);
}

1;
