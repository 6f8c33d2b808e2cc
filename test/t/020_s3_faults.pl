# A short set of faults on the way to S3; `scripts/test faults` has all of them, and random ones.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use FaultRun;
use S3;
use Test::More;

plan skip_all => s3_missing() if s3_missing();

# Faults of these kinds, drawn often.
sub drawn
{
	my (@kinds) = @_;
	return { seed => "@kinds", kinds => \@kinds, rates => { '' => 0.2 }, stall => 2 };
}

my $setup = fault_setup('faults', 25);
for my $kinds (
	[qw(reset_request reset_answer lost_answer late_part)], [qw(error_500 slow_down too_many)],
	[qw(done_500 error_200 done_error_200)], [qw(truncated stall_request stall_answer trickle)])
{
	fault_run($setup, title => "@$kinds", backup => drawn(@$kinds), restore => drawn(@$kinds), expect => 'completed');
}
fault_run(
	$setup,
	title => 'nobody listens for a while',
	backup => { faults => [ { kind => 'refuse', operation => 'UploadPart', number => 4 } ], refuse => 4 },
	expect => 'completed');
fault_run($setup, title => "the store's clock is an hour ahead", backup => { clock => 3600 }, may_miss => 1, expect => 'completed');
fault_run($setup, title => 'no ETag for a part', backup => { faults => [ { kind => 'no_etag', operation => 'UploadPart', number => 3 } ] });
fault_end($setup);
done_testing();
