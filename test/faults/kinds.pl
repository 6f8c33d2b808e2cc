# Every kind of fault alone, in a backup and then in its restore. PGBACKUP_FAULT_MB: how much the
# database stores (300).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use FaultRun;
use S3;
use Test::More;

plan skip_all => s3_missing() if s3_missing();

# Several faults of the kind, spread over the operations of a backup, and without the parts.
sub some
{
	my ($kind) = @_;
	my $plan = some_but_parts($kind);
	push @{ $plan->{faults} },
	  { kind => $kind, operation => 'UploadPart', number => 3, count => 2 },
	  { kind => $kind, operation => 'UploadPart', number => 15 };
	return $plan;
}

sub some_but_parts
{
	my ($kind) = @_;
	return { faults => [
			map({ { kind => $kind, operation => $_ } } qw(CreateUpload Complete Put Get Head)),
			{ kind => $kind, operation => 'Get', number => 4 } ] };
}

sub once
{
	my ($kind, $operation, $number, %more) = @_;
	return { faults => [ { kind => $kind, operation => $operation, number => $number } ], %more };
}

my $setup = fault_setup('faults', $ENV{PGBACKUP_FAULT_MB} // 300);
fault_run($setup, title => 'no fault', backup => {}, may_miss => 1, expect => 'completed');

# What passes must do no harm.
for my $kind (qw(reset_request reset_answer lost_answer truncated stall_request stall_answer trickle
	error_500 slow_down too_many done_500 error_200 done_error_200 wrong_date late_part))
{
	fault_run($setup, title => $kind, backup => some($kind), restore => some($kind), expect => 'completed');
}
fault_run($setup, title => 'stalled for longer than the client waits', backup => once('stall_request', 'UploadPart', 7, stall => 70),
	restore => once('stall_answer', 'Get', 3, stall => 70), expect => 'completed');
fault_run($setup, title => 'refused for 20 s', backup => once('refuse', 'UploadPart', 7),
	restore => once('refuse', 'Get', 3), expect => 'completed');
fault_run($setup, title => 'refused for 20 s at the manifest', backup => once('refuse', 'Put', 2), expect => 'completed');
for my $hours (-1, 1)
{
	fault_run($setup, title => "the store's clock is $hours h off", backup => { clock => 3600 * $hours },
		restore => { clock => 3600 * $hours }, may_miss => 1, expect => 'completed');
}
fault_run($setup, title => 'no ETag for a part', backup => once('no_etag', 'UploadPart', 7));
fault_run($setup, title => 'no ETag for anything else', backup => some_but_parts('no_etag'),
	restore => some_but_parts('no_etag'), expect => 'completed');
fault_run($setup, title => 'one answer by a clock an hour off', expect => 'completed', backup => once('skewed', 'UploadPart', 7), restore => once('skewed', 'Get', 2));

# What does not pass must end in a clean failure.
for my $kind (qw(error_200 lost_answer))
{
	fault_run($setup, title => "$kind for ever", expect => 'failed',
		backup => { faults => [ { kind => $kind, operation => 'Complete', count => 1_000_000 } ] });
}
fault_end($setup);
done_testing();
