# The S3 server that the test run has started, asked directly.
package S3;

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use Exporter 'import';
use HTTP::Tiny;
use PgBackup qw(read_file);
use POSIX qw(strftime);

our @EXPORT = qw(s3_missing s3_settings s3_keys s3_uploads s3_secret s3_access_key);

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

# A GET on the bucket with the query given (sorted and encoded); dies unless it answers 200. Signed
# here, independently of what is tested: AWS Signature Version 4.
sub s3_get
{
	my ($query) = @_;
	my $region = $ENV{PGBACKUP_TEST_S3_REGION} // 'us-east-1';
	my ($host) = $ENV{PGBACKUP_TEST_S3_ENDPOINT} =~ m{^http://(.*)$};
	my $path = "/$ENV{PGBACKUP_TEST_S3_BUCKET}";
	my $time = strftime('%Y%m%dT%H%M%SZ', gmtime);
	my $scope = substr($time, 0, 8) . "/$region/s3/aws4_request";
	my $empty = sha256_hex('');
	my $canonical = "GET\n$path\n$query\nhost:$host\nx-amz-content-sha256:$empty\nx-amz-date:$time\n\n"
	  . "host;x-amz-content-sha256;x-amz-date\n$empty";
	my $key = 'AWS4' . s3_secret();
	$key = hmac_sha256($_, $key) for split m{/}, $scope;
	my $signature = hmac_sha256_hex("AWS4-HMAC-SHA256\n$time\n$scope\n" . sha256_hex($canonical), $key);
	my $answer = HTTP::Tiny->new->get(
		"http://$host$path?$query",
		{
			headers => {
				'x-amz-date' => $time,
				'x-amz-content-sha256' => $empty,
				'Authorization' => 'AWS4-HMAC-SHA256 Credential=' . s3_access_key() . "/$scope, "
				  . "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=$signature"
			}
		});
	die "the S3 server answered ?$query with $answer->{status}: $answer->{content}" unless $answer->{success};
	return $answer->{content};
}

# A folder as the value of a query.
sub query_value
{
	my ($folder) = @_;
	return $folder =~ s{/}{%2F}gr;
}

# Keys below a folder, without the folder, sorted.
sub s3_keys
{
	my ($folder) = @_;
	my $answer = s3_get('list-type=2&max-keys=1000&prefix=' . query_value("$folder/"));
	my @keys = sort map { substr $_, length($folder) + 1 } $answer =~ m{<Key>([^<]*)</Key>}g;
	return @keys;
}

# How many multipart uploads are open below a folder.
sub s3_uploads
{
	my ($folder) = @_;
	my $answer = s3_get('prefix=' . query_value("$folder/") . '&uploads=');
	return scalar(() = $answer =~ m{<Upload>}g);
}

1;
