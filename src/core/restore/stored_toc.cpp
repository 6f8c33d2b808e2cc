#include "core/restore/stored_toc.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/pipeline/codec.h"

namespace pgbackup {
namespace {

// Collects the beginning of an archive until it holds the table of contents.
class TocSink final : public Sink {
 public:
  explicit TocSink(std::optional<ArchiveToc>* toc) : toc_(toc) {}

  void Write(std::span<const std::byte> data) override {
    if (toc_->has_value()) return;
    head_.append(reinterpret_cast<const char*>(data.data()), data.size());
    // Each attempt reads from the start, so they are made at doubling sizes.
    if (head_.size() >= next_attempt_) Try();
  }
  void Finish() override {
    if (!toc_->has_value()) Try();
  }
  void Abort() noexcept override {}

 private:
  void Try() {
    *toc_ = ParseArchiveToc(head_);
    next_attempt_ = head_.size() * 2;
  }

  std::optional<ArchiveToc>* toc_;
  std::string head_;
  size_t next_attempt_ = 4 << 10;
};

}  // namespace

ArchiveToc ReadStoredToc(Storage& storage, const std::string& folder,
                         const ManifestObject& object) {
  constexpr uint64_t kFirstPiece = 64 << 10;
  constexpr uint64_t kLargestPiece = 8 << 20;
  std::optional<ArchiveToc> toc;
  const std::unique_ptr<Sink> decode = MakeDecoder(std::make_unique<TocSink>(&toc), object.name);
  uint64_t piece = kFirstPiece;
  for (const Segment& segment : object.segments)
    for (uint64_t offset = 0; offset < segment.size && !toc;) {
      const uint64_t length = std::min(piece, segment.size - offset);
      storage.Get(fmt::format("{}/{}", folder, segment.name), *decode, offset, length);
      offset += length;
      piece = std::min(piece * 2, kLargestPiece);
    }
  if (!toc) decode->Finish();
  if (toc) return *std::move(toc);
  throw Error(ErrorKind::kCorrupt, fmt::format("object \"{}\" is damaged", object.name),
              "It ends within its table of contents.");
}

}  // namespace pgbackup
