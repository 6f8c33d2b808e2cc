// Whether an archive holds what it was made for.
//
// pg_dump succeeds also when it leaves something out: a pattern that no longer matches, a table
// that belongs to an extension. The archive's own table of contents, read as it streams past, is
// compared with the plan before the backup is one.
#pragma once

#include <set>
#include <string>

#include "core/archive/archive_toc.h"
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

// kInternal, naming the object and the first table in question, unless `toc` is as expected.
void CheckArchive(const ArchiveToc& toc, const ExpectedContents& expected,
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
  const ArchiveToc& toc() const noexcept { return *toc_; }

 private:
  void Try();

  Sink& next_;
  std::string object_name_;
  std::string head_;  // what came before the table of contents was complete
  size_t next_attempt_;
  std::optional<ArchiveToc> toc_;
};

}  // namespace pgbackup
