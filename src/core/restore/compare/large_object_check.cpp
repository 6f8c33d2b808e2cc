#include "core/restore/compare/large_object_check.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "core/fingerprint/large_object_fingerprint.h"

namespace pgbackup {
namespace {

// One line for each page, and for an object without pages one with two empty fields. A page that is
// missing before another one reads as zeros.
constexpr const char* kPagesSql =
    "COPY (SELECT m.oid, l.pageno::bigint * (current_setting('block_size')::int / 4), "
    "encode(l.data, 'hex') FROM pg_largeobject_metadata m "
    "LEFT JOIN pg_largeobject l ON l.loid = m.oid ORDER BY m.oid, l.pageno) TO STDOUT (NULL '')";

std::string_view TakeField(std::string_view* line) {
  const size_t end = std::min(line->find_first_of("\t\n"), line->size());
  const std::string_view field = line->substr(0, end);
  line->remove_prefix(std::min(end + 1, line->size()));
  return field;
}

template <typename Number>
Number NumberIn(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

class PageReader {
 public:
  void Add(std::string_view line) {
    const auto oid = NumberIn<uint32_t>(TakeField(&line));
    const auto offset = NumberIn<uint64_t>(TakeField(&line));
    const std::string_view hex = TakeField(&line);
    if (oid != oid_) {
      objects_.Begin(oid);
      oid_ = oid;
      size_ = 0;
    }
    while (size_ < offset) Take({kZeros, std::min(offset - size_, sizeof kZeros)});
    bytes_.resize(hex.size() / 2);
    for (size_t i = 0; i < bytes_.size(); ++i) {
      unsigned byte = 0;
      std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, byte, 16);
      bytes_[i] = static_cast<std::byte>(byte);
    }
    Take(bytes_);
  }
  RowFingerprint Finish() { return objects_.Finish(); }

 private:
  static constexpr std::byte kZeros[2048] = {};

  void Take(std::span<const std::byte> bytes) {
    objects_.Add(bytes);
    size_ += bytes.size();
  }

  LargeObjectFingerprinter objects_;
  std::optional<uint32_t> oid_;
  uint64_t size_ = 0;  // of the object, so far
  std::vector<std::byte> bytes_;
};

}  // namespace

RowFingerprint ReadLargeObjects(PostgresConnection& connection) {
  PageReader pages;
  connection.CopyOut(kPagesSql, [&](std::span<const std::byte> line) {
    pages.Add({reinterpret_cast<const char*>(line.data()), line.size()});
  });
  return pages.Finish();
}

}  // namespace pgbackup
