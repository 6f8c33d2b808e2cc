// A file without a disk: pg_restore -j needs a path it can open again and seek in.
//
// Its content lies in memory, so it is for schema archives and lists, never for data: kilobytes,
// but 200 bytes for each large object.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "core/base/unique_fd.h"
#include "core/pipeline/sink.h"

namespace pgbackup {

// How many bytes of a backup may be kept in memory at once: half of the machine's, or 4 GiB if that
// is more. What is larger was not made by a sane backup of a database that fits this machine.
uint64_t LargestInMemory() noexcept;

class MemoryFile {
 public:
  MemoryFile();
  explicit MemoryFile(std::string_view content);

  int fd() const noexcept { return fd_.get(); }
  // Appends to the file. The file outlives the sink.
  std::unique_ptr<Sink> Writer() const;
  // Hands over all that has been written, from the beginning and in pieces, as long as `take` wants
  // more.
  void Read(const std::function<bool(std::string_view)>& take) const;

 private:
  UniqueFd fd_;
};

}  // namespace pgbackup
