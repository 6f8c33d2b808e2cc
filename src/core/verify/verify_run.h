// A verification from beginning to end.
//
//   read the manifest → read every object, at the same time, verified → compare with the manifest
//
// At level kRestore the backup is restored into a side database instead (restore_run.h), which is
// then dropped; at the others nothing is written anywhere. A backup of data alone cannot be, and
// one of a part of a database need not be restorable alone: of these every object is read at level
// kArchive, and a remark says so. The first object that is not as it should be ends the run, and is
// named.
#pragma once

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

RunOutcome RunVerify(const VerifyJob& job, const RunContext& context);

}  // namespace pgbackup
