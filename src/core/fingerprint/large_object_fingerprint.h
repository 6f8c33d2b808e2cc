// A fingerprint of a database's large objects, as that of a table's rows (row_fingerprint.h): each
// object counts as a row, hashed as its OID in eight bytes, lowest first, and its contents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/fingerprint/row_fingerprint.h"
#include "core/postgres/quoting.h"

namespace pgbackup {

// Under which they are in a list of fingerprints: no dump holds rows of a table of this name.
QualifiedName LargeObjectsName();

// Takes objects one after the other, their contents in pieces cut anywhere.
class LargeObjectFingerprinter {
 public:
  LargeObjectFingerprinter();
  ~LargeObjectFingerprinter();

  void Begin(uint32_t oid);
  void Add(std::span<const std::byte> contents);  // of the one that was begun last
  // All that have come since the last call.
  RowFingerprint Finish();

 private:
  struct Current;

  void End();

  std::unique_ptr<Current> current_;
  RowFingerprint fingerprint_;
};

}  // namespace pgbackup
