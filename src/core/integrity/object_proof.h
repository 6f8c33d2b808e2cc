// Reads an object of a backup as a restore would, and proves it, without restoring it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/cancellation.h"
#include "core/manifest/manifest.h"
#include "core/process/program.h"
#include "core/progress/progress.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct ObjectProofContext {
  const Programs& programs;
  Storage& storage;
  std::string folder;
  const Manifest& manifest;
  Progress& progress;
  const Cancellation& cancellation;
};

struct ObjectProof {
  // Of an archive: entries, and tables among them, that pg_restore lists of what is wanted.
  std::optional<uint64_t> entries;
  uint64_t tables = 0;
};

// Reads all of it; returns when sizes, SHA-256 and compression are right, the content is what the
// manifest says (content_check.h) and pg_restore can list an archive. `list` are the entries that
// are wanted of an archive, all when there is none. Throws kCorrupt or, with pg_restore's words,
// kTool.
ObjectProof ProveObject(const ManifestObject& object, const std::optional<std::string>& list,
                        const ObjectProofContext& context);

// From the output of pg_restore --list.
ObjectProof CountListed(std::string_view list);

}  // namespace pgbackup
