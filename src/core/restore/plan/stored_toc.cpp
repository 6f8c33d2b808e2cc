#include "core/restore/plan/stored_toc.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/archive/toc_reader.h"
#include "core/base/error.h"
#include "core/manifest/stored_object.h"
#include "core/pipeline/damaged_object.h"
#include "core/process/memory_file.h"

namespace pgbackup {
namespace {

// Reads the table of contents at the beginning of an archive, and passes on the bytes up to its
// end.
class TocSink final : public Sink {
 public:
  TocSink(TocReader& reader, const std::string& name, Sink* head)
      : reader_(reader), name_(name), head_(head) {}

  void Write(std::span<const std::byte> data) override {
    if (reader_.IsComplete()) return;
    size_ += data.size();
    if (size_ > LargestInMemory())
      throw DamagedObject(name_, "Its table of contents is impossibly long.");
    reader_.Read({reinterpret_cast<const char*>(data.data()), data.size()});
    if (head_ == nullptr) return;
    head_->Write(data.first(data.size() - (reader_.IsComplete() ? reader_.bytes_behind() : 0)));
  }
  void Finish() override {}
  void Abort() noexcept override {}

 private:
  TocReader& reader_;
  const std::string& name_;
  Sink* head_;
  uint64_t size_ = 0;
};

}  // namespace

ArchiveToc ReadStoredToc(Storage& storage, const std::string& folder, const ManifestObject& object,
                         Sink* head) {
  constexpr uint64_t kFirstPiece = 64 << 10;
  constexpr uint64_t kLargestPiece = 8 << 20;
  ArchiveToc toc;
  TocReader reader(toc);
  const std::unique_ptr<Sink> decode =
      MakeReader(std::make_unique<TocSink>(reader, object.name, head), object.name, object.raw_size,
                 object.keys.get());
  uint64_t piece = kFirstPiece;
  for (const Segment& segment : object.segments)
    for (uint64_t offset = 0; offset < segment.size && !reader.IsComplete();) {
      const uint64_t length = std::min(piece, segment.size - offset);
      storage.Get(fmt::format("{}/{}", folder, segment.name), *decode, offset, length);
      offset += length;
      piece = std::min(piece * 2, kLargestPiece);
    }
  if (!reader.IsComplete()) decode->Finish();
  if (reader.IsComplete()) return toc;
  throw Error(ErrorKind::kCorrupt, fmt::format("object \"{}\" is damaged", object.name),
              "It ends within its table of contents.");
}

}  // namespace pgbackup
