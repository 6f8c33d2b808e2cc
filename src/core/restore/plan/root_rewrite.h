// Sends the rows of a partition that comes without the root of its partitioned table into the
// partition itself, or into what is the root of it now.
//
// Where partitions are chosen by a hash that another database may compute otherwise, as that of an
// enum's values, pg_dump has the rows go into the root, by the statement COPY in the archive's
// table of contents. Only that statement is rewritten.
#pragma once

#include <memory>
#include <string>

#include "core/archive/toc_reader.h"
#include "core/pipeline/sink.h"
#include "core/restore/plan/archive_selection.h"

namespace pgbackup {

class RootRewrite final : public Sink {
 public:
  // `part` outlives this.
  RootRewrite(std::unique_ptr<Sink> next, const ArchiveSelection& part);

  // Keeps the table of contents back until it is complete. What is no archive that is known here
  // passes as it is.
  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

 private:
  void PassHead();
  void Rewrite(const TocEntry& entry, size_t* from);

  std::unique_ptr<Sink> next_;
  const ArchiveSelection& part_;
  ArchiveToc toc_;
  TocReader reader_;
  std::string head_;  // what has come of the table of contents
  bool has_passed_ = false;
};

}  // namespace pgbackup
