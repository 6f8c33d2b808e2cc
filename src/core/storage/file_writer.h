// The sink that writes one object of a directory.
//
// Written data is pushed out to the disk, and out of the page cache, while more is coming: the
// final fsync is short, and a backup does not evict the database's pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/pipeline/sink.h"
#include "core/storage/directory.h"
#include "core/storage/throttle.h"

namespace pgbackup {

// Names of unfinished files, which no object has.
inline constexpr std::string_view kTemporaryPrefix = ".pgbackup-";
inline constexpr std::string_view kTemporarySuffix = ".tmp";
bool IsTemporaryName(std::string_view leaf) noexcept;

struct FileTarget {
  UniqueFd folder;
  std::string temporary;  // name in the folder, created already
  std::string leaf;       // the final name in the folder
  std::string url;        // for messages
  bool if_absent = false;
};

class FileWriter final : public Sink {
 public:
  // Takes over `file`, open for writing, which is `target.temporary`.
  FileWriter(FileTarget target, UniqueFd file, const Cancellation& cancellation,
             Throttle* throttle = nullptr);
  ~FileWriter() override { Abort(); }

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override;

 private:
  void WriteOut(std::span<const std::byte> data);
  void PushToDisk();
  void Publish();
  void PublishIfAbsent();
  void RenameReserved();

  FileTarget target_;
  UniqueFd file_;
  const Cancellation& cancellation_;
  Throttle* const throttle_;         // may be null
  std::vector<std::byte> gathered_;  // small writes, until they are worth a system call
  int64_t written_ = 0;
  int64_t pushed_ = 0;  // writeback has been started up to here
  bool temporary_exists_ = true;
};

}  // namespace pgbackup
