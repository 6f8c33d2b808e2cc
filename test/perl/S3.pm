# The S3 server that the test run has started, asked directly.
package S3;

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use Exporter 'import';
use HTTP::Tiny;
use PgBackup qw(read_file);
use POSIX qw(strftime);

our @EXPORT = qw(s3_missing s3_settings s3_keys s3_uploads s3_secret s3_access_key s3_put s3_read s3_markers s3_begin_upload s3_deny);

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

# A request with the query given (sorted and encoded) on the bucket or, below it, on a key; dies
# unless it succeeds. Signed here, independently of what is tested: AWS Signature Version 4.
sub s3_request
{
	my ($method, $key, $query, $body) = @_;
	$body //= '';
	my $region = $ENV{PGBACKUP_TEST_S3_REGION} // 'us-east-1';
	my ($host) = $ENV{PGBACKUP_TEST_S3_ENDPOINT} =~ m{^http://(.*)$};
	my $path = "/$ENV{PGBACKUP_TEST_S3_BUCKET}" . ($key eq '' ? '' : "/$key");
	my $time = strftime('%Y%m%dT%H%M%SZ', gmtime);
	my $scope = substr($time, 0, 8) . "/$region/s3/aws4_request";
	my $payload = sha256_hex($body);
	# Every header that HTTP::Tiny adds by itself but is not signed would be refused.
	my %signed = (host => $host, 'x-amz-content-sha256' => $payload, 'x-amz-date' => $time);
	$signed{'content-type'} = 'application/octet-stream' if $body ne '';
	my $names = join ';', sort keys %signed;
	my $canonical = "$method\n$path\n$query\n" . join('', map { "$_:$signed{$_}\n" } sort keys %signed)
	  . "\n$names\n$payload";
	my $signing_key = 'AWS4' . s3_secret();
	$signing_key = hmac_sha256($_, $signing_key) for split m{/}, $scope;
	my $signature = hmac_sha256_hex("AWS4-HMAC-SHA256\n$time\n$scope\n" . sha256_hex($canonical), $signing_key);
	delete $signed{host};  # HTTP::Tiny's own
	my $answer = HTTP::Tiny->new->request(
		$method,
		"http://$host$path" . ($query eq '' ? '' : "?$query"),
		{
			content => $body,
			headers => {
				%signed,
				'Authorization' => 'AWS4-HMAC-SHA256 Credential=' . s3_access_key() . "/$scope, "
				  . "SignedHeaders=$names, Signature=$signature"
			}
		});
	die "the S3 server answered $method $path?$query with $answer->{status}: $answer->{content}"
	  unless $answer->{success};
	return $answer->{content};
}

# A folder as the value of a query.
sub query_value
{
	my ($folder) = @_;
	return $folder =~ s{/}{%2F}gr;
}

sub s3_get { return s3_request('GET', '', $_[0]) }

# Writes an object; the key needs no encoding.
sub s3_put { return s3_request('PUT', $_[0], '', $_[1]) }

# Reads an object; its key likewise.
sub s3_read { return s3_request('GET', $_[0], '') }

# Begins a multipart upload and leaves it there.
sub s3_begin_upload { return s3_request('POST', $_[0], 'uploads=') }

# Denies everybody an action on a resource (without "arn:aws:s3:::"), or nothing any more.
sub s3_deny
{
	my ($action, $resource) = @_;
	return s3_request('DELETE', '', 'policy=') unless defined $action;
	return s3_request('PUT', '', 'policy=',
		qq({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", )
		  . qq("Action": "$action", "Resource": "arn:aws:s3:::$resource"}]}));
}

sub all_keys
{
	my ($folder) = @_;
	return s3_get('list-type=2&max-keys=1000&prefix=' . query_value("$folder/")) =~ m{<Key>([^<]*)</Key>}g;
}

# Keys below a folder, without the folder, sorted, but those of the servers' markers.
sub s3_keys
{
	my ($folder) = @_;
	my @keys = sort grep { !m{(^|/)pgbackup-instances/} } map { substr $_, length($folder) + 1 } all_keys($folder);
	return @keys;
}

# The keys of these, in the bucket.
sub s3_markers
{
	my ($folder) = @_;
	return grep { m{/pgbackup-instances/[^/]+\.json$} } all_keys($folder);
}

# How many multipart uploads are open below a folder.
sub s3_uploads
{
	my ($folder) = @_;
	my $answer = s3_get('prefix=' . query_value("$folder/") . '&uploads=');
	return scalar(() = $answer =~ m{<Upload>}g);
}

1;
