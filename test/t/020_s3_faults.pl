# A short set of faults on the way to S3; `scripts/test faults` has all of them, and random ones.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use FaultRun;
use S3;
use Test::More;

plan skip_all => s3_missing() if s3_missing();

# A plan of faults given as [kind, operation, number of the first, how many].
sub these
{
	my (@faults) = @_;
	return {
		stall => 2,
		faults => [ map { { kind => $_->[0], operation => $_->[1], number => $_->[2] // 1, count => $_->[3] // 1 } } @faults ] };
}

# The second PUT is that of the manifest.
my $setup = fault_setup('faults', 25);
fault_run(
	$setup,
	title => 'broken connections',
	backup => these([ 'lost_answer', 'CreateUpload' ], [ 'reset_request', 'UploadPart', 2 ], [ 'late_part', 'UploadPart', 4 ],
		[ 'reset_answer', 'Complete' ], [ 'lost_answer', 'Put', 2 ]),
	restore => these([ 'lost_answer', 'Get' ], [ 'reset_answer', 'Get', 2 ]),
	expect => 'completed');
fault_run(
	$setup,
	title => 'a busy store',
	backup => these([ 'slow_down', 'UploadPart', 2, 2 ], [ 'too_many', 'Complete' ], [ 'error_500', 'Put', 1, 2 ]),
	restore => these([ 'error_500', 'Get', 1, 2 ]),
	expect => 'completed');
fault_run(
	$setup,
	title => 'answers that are not true',
	backup => these([ 'done_error_200', 'CreateUpload' ], [ 'error_200', 'UploadPart', 3 ], [ 'done_error_200', 'Complete' ],
		[ 'done_500', 'Put', 2 ]),
	expect => 'completed');
fault_run(
	$setup,
	title => 'slow and short answers',
	backup => these([ 'stall_request', 'UploadPart', 2 ], [ 'trickle', 'UploadPart', 3 ], [ 'truncated', 'Complete' ],
		[ 'stall_answer', 'Put', 1 ]),
	restore => these([ 'truncated', 'Get', 2 ], [ 'trickle', 'Get', 1 ]),
	expect => 'completed');
fault_run(
	$setup,
	title => 'nobody listens for a while',
	backup => { faults => [ { kind => 'refuse', operation => 'UploadPart', number => 4 } ], refuse => 4 },
	expect => 'completed');
fault_run($setup, title => "the store's clock is an hour ahead", backup => { clock => 3600 }, may_miss => 1, expect => 'completed');
fault_run($setup, title => 'no ETag for a part', backup => these([ 'no_etag', 'UploadPart', 3 ]));
fault_end($setup);
done_testing();
