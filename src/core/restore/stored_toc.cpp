#include "core/restore/stored_toc.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/pipeline/codec.h"

namespace pgbackup {
namespace {

struct Enough {};  // ends a read: the storage passes on what a sink throws

class TocSink final : public Sink {
 public:
  explicit TocSink(ArchiveToc* toc) : toc_(toc) {}

  void Write(std::span<const std::byte> data) override {
    head_.append(reinterpret_cast<const char*>(data.data()), data.size());
    // Each attempt reads from the start, so they are made at doubling sizes.
    if (head_.size() >= next_attempt_) Try();
  }
  void Finish() override { Try(); }
  void Abort() noexcept override {}

 private:
  void Try() {
    if (std::optional<ArchiveToc> toc = ParseArchiveToc(head_)) {
      *toc_ = std::move(*toc);
      throw Enough();
    }
    next_attempt_ = head_.size() * 2;
  }

  ArchiveToc* toc_;
  std::string head_;
  size_t next_attempt_ = 64 << 10;
};

}  // namespace

ArchiveToc ReadStoredToc(Storage& storage, const std::string& folder,
                         const ManifestObject& object) {
  ArchiveToc toc;
  const std::unique_ptr<Sink> decode = MakeDecoder(std::make_unique<TocSink>(&toc), object.name);
  try {
    for (const Segment& segment : object.segments)
      storage.Get(fmt::format("{}/{}", folder, segment.name), *decode);
    decode->Finish();
  } catch (const Enough&) {
    return toc;
  }
  throw Error(ErrorKind::kCorrupt, fmt::format("object \"{}\" is damaged", object.name),
              "It ends within its table of contents.");
}

}  // namespace pgbackup
