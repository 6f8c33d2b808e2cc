// Whether the content of an object, decompressed, is what the manifest says of it.
#pragma once

#include <memory>
#include <string>

#include "core/job/job.h"
#include "core/manifest/manifest.h"
#include "core/pipeline/sink.h"

namespace pgbackup {

// Passes the content on to `next`, looking at it; `next` itself at level kChecksum, where the size,
// which ContentChain (stored_object.h) checks, is all that there is to check. Its Finish throws
// kCorrupt, naming the object, when the content is not whole or holds something else: of an
// archive, the table of contents has to fit the manifest (archive_contents.h); a script has to end
// with the line that pg_dump ends with; the rows of a range have to be between the SQL that the
// manifest describes. `manifest` outlives the check.
std::unique_ptr<Sink> ContentCheck(std::unique_ptr<Sink> next, const Manifest& manifest,
                                   const ManifestObject& object, VerifyLevel level);

}  // namespace pgbackup
