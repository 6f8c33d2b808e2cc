// Reads the table of contents of a custom-format archive as its bytes come.
//
// The layout is that of ReadHead and ReadToc in PostgreSQL's pg_backup_archiver.c, archive versions
// 1.12 to 1.16 (pg_dump 10 to 18).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/archive/archive_toc.h"

namespace pgbackup {

class TocReader {
 public:
  // What stands before the first entry.
  struct Header {
    int version = 0;                        // 100 * major + minor
    int integer_size = 0, offset_size = 0;  // in bytes
    int64_t entries = 0;
  };
  // Called for each entry, in the archive's order.
  using OnEntry = std::function<void(TocEntry)>;

  explicit TocReader(OnEntry on_entry);
  // Appends the entries to `toc`, which has to outlive it.
  explicit TocReader(ArchiveToc& toc);

  // Takes the archive's next bytes, of which it keeps no more than an entry that is not complete;
  // returns whether the table of contents is. What follows it is ignored. kInvalid when this is no
  // such archive, or one of a version unknown here.
  bool Read(std::string_view bytes);

  bool IsComplete() const noexcept { return header_ && entries_read_ == header_->entries; }

  // Once it is complete: the size of the archive's integers without their sign byte, and how many
  // of the bytes given to the Read that completed it came after it.
  int integer_size() const noexcept { return header_->integer_size; }
  size_t bytes_behind() const noexcept { return pending_.size(); }

 private:
  std::string_view ReadOne(std::string_view bytes);

  OnEntry on_entry_;
  std::string pending_;
  std::optional<Header> header_;
  int64_t entries_read_ = 0;
  TocSection section_ = TocSection::kNone;  // of the last entry that has one
};

}  // namespace pgbackup
