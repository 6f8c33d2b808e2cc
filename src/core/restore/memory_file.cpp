#include "core/restore/memory_file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

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

std::string MemoryFile::Content() const {
  struct stat status {};
  if (fstat(fd_.get(), &status) != 0)
    throw Error(ErrorKind::kInternal,
                fmt::format("could not look at a file in memory: {}", strerror(errno)));
  std::string content(static_cast<size_t>(status.st_size), '\0');
  size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t got = pread(fd_.get(), content.data() + filled, content.size() - filled,
                              static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw Error(ErrorKind::kInternal, "could not read a file in memory");
    filled += static_cast<size_t>(got);
  }
  return content;
}

}  // namespace pgbackup
