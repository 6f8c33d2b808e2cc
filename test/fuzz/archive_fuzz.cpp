// Archives of pg_dump -Fc as they stream past: core/archive.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/archive/packing_sink.h"
#include "core/archive/toc_reader.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/pipeline/buffer_sink.h"
#include "fuzz.h"

namespace pgbackup {
namespace {

constexpr size_t kLimit = 1 << 20;

struct Contents {
  std::vector<int64_t> entries;
  std::optional<ErrorKind> error;
  bool is_complete = false;
  bool operator==(const Contents&) const = default;
};

Contents ReadInPieces(std::string_view text, size_t piece) {
  Contents contents;
  TocReader reader([&](const TocEntry& entry) { contents.entries.push_back(entry.id); });
  try {
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
      if (reader.Read(text.substr(0, piece))) break;
  } catch (const Error& error) {
    contents.error = error.kind();
  }
  contents.is_complete = reader.IsComplete();
  return contents;
}

// The bytes of each table, as an observer is shown them.
class Rows final : public ArchiveObserver {
 public:
  void OnEntry(TocEntry entry) override { text += "entry " + std::to_string(entry.id) + "\n"; }
  void OnData(int64_t entry_id, std::span<const std::byte> data) override {
    if (entry_id != last_) text += "rows " + std::to_string(entry_id) + "\n";
    last_ = entry_id;
    text.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  std::string text;

 private:
  std::optional<int64_t> last_;
};

struct Packed {
  std::string archive, rows;
  bool is_whole = false;
};

Packed Pack(std::string_view text, size_t piece) {
  Packed packed;
  Rows rows;
  BufferSink archive(kLimit, "archive");
  PackingSink sink(archive, rows, "archive");
  try {
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
      sink.Write(AsBytes(text.substr(0, piece)));
    sink.Finish();
    packed.is_whole = true;
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::kTool || error.kind() == ErrorKind::kInvalid);
  }
  packed.archive = archive.text();
  packed.rows = rows.text;
  return packed;
}

// How it comes in pieces makes no difference.
void CheckToc(std::string_view text) {
  REQUIRE(ReadInPieces(text, std::max<size_t>(text.size(), 1)) == ReadInPieces(text, 61));
}

// A packed archive holds the same rows, and packing it again changes nothing.
void CheckPacking(std::string_view text) {
  const Packed packed = Pack(text, std::max<size_t>(text.size(), 1));
  const Packed in_pieces = Pack(text, 37);
  REQUIRE(packed.is_whole == in_pieces.is_whole);
  if (!packed.is_whole) return;
  REQUIRE(packed.archive == in_pieces.archive && packed.rows == in_pieces.rows);
  const Packed again = Pack(packed.archive, std::max<size_t>(packed.archive.size(), 1));
  REQUIRE(again.is_whole && again.rows == packed.rows && again.archive == packed.archive);
}

}  // namespace
}  // namespace pgbackup

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = pgbackup::TextOf(data, size);
  pgbackup::CheckToc(text);
  pgbackup::CheckPacking(text);
  return 0;
}
