#include "core/process/memory_file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "core/base/error.h"
#include "core/base/sha256.h"

namespace pgbackup {
namespace {

class MemoryFileSink final : public Sink {
 public:
  explicit MemoryFileSink(int fd) : fd_(fd) {}
  void Write(std::span<const std::byte> data) override {
    while (!data.empty()) {
      const ssize_t written = write(fd_, data.data(), data.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0)
        throw Error(ErrorKind::kInternal,
                    fmt::format("could not write to a file in memory: {}", strerror(errno)));
      data = data.subspan(static_cast<size_t>(written));
    }
  }
  void Finish() override {}
  void Abort() noexcept override {}

 private:
  int fd_;
};

}  // namespace

uint64_t LargestInMemory() noexcept {
  constexpr uint64_t kAlways = 4ull << 30;
  const int64_t pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_size <= 0) return kAlways;
  return std::max(kAlways, static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_size) / 2);
}

MemoryFile::MemoryFile() : fd_(memfd_create("pgbackup", MFD_CLOEXEC)) {
  if (!fd_)
    throw Error(ErrorKind::kInternal,
                fmt::format("could not make a file in memory: {}", strerror(errno)));
}

MemoryFile::MemoryFile(std::string_view content) : MemoryFile() {
  Writer()->Write(AsBytes(content));
}

std::unique_ptr<Sink> MemoryFile::Writer() const {
  return std::make_unique<MemoryFileSink>(fd_.get());
}

void MemoryFile::Read(const std::function<bool(std::string_view)>& take) const {
  std::vector<char> piece(256 << 10);
  off_t at = 0;
  for (;;) {
    const ssize_t got = pread(fd_.get(), piece.data(), piece.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Error(ErrorKind::kInternal,
                  fmt::format("could not read a file in memory: {}", strerror(errno)));
    if (got == 0 || !take({piece.data(), static_cast<size_t>(got)})) return;
    at += got;
  }
}

}  // namespace pgbackup
