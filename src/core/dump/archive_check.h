// Whether an archive holds what it was made for.
//
// pg_dump succeeds also when it leaves something out: a pattern that no longer matches, a table
// that belongs to an extension. The archive's own table of contents, read as it streams past, is
// compared with the plan before the backup is one.
#pragma once

#include <set>
#include <string>

#include "core/archive/toc_reader.h"
#include "core/pipeline/sink.h"
#include "core/postgres/quoting.h"

namespace pgbackup {

// Names in the archive's encoding.
struct ExpectedContents {
  std::set<QualifiedName> tables;   // definitions that have to be there
  std::set<QualifiedName> rows;     // tables whose rows have to be there
  std::set<QualifiedName> no_rows;  // tables whose rows must not: another object has them
  bool only_these_rows = false;     // no rows of any other table
};

// What an archive's table of contents says of tables. Names in the archive's encoding.
struct ArchiveTables {
  void Add(const TocEntry& entry);

  std::set<QualifiedName> definitions, rows;
};

// kInternal, naming the object and the first table in question, unless the archive is as expected.
void CheckArchive(const ArchiveTables& found, const ExpectedContents& expected,
                  const std::string& object_name);

// Passes an archive on to `next` and reads its table of contents meanwhile. Neither finishes nor
// aborts `next`, which outlives it.
class TocTap final : public Sink {
 public:
  TocTap(Sink& next, std::string object_name);

  void Write(std::span<const std::byte> data) override;
  // kInternal when the archive has ended within its table of contents.
  void Finish() override;
  void Abort() noexcept override {}

  // Valid after Finish.
  const ArchiveTables& tables() const noexcept { return tables_; }

 private:
  Sink& next_;
  std::string object_name_;
  ArchiveTables tables_;
  TocReader reader_;
};

}  // namespace pgbackup
