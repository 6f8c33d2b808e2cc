// A fingerprint of a table's rows: how many there are, and a hash of all that does not depend on
// their order.
//
// Each row's text in COPY's text format, without the line feed, is hashed by XXH3 with 128 bits
// (https://github.com/Cyan4973/xxHash), and the hashes are added up, low and high half alone,
// modulo 2^64. So fingerprints of parts of a table add up to that of the table. It finds damage,
// loss and repetition; it is no protection against somebody who makes rows up to fit, which
// signatures are for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace pgbackup {

struct RowFingerprint {
  uint64_t rows = 0;
  uint64_t low = 0, high = 0;

  RowFingerprint& operator+=(const RowFingerprint& other) noexcept;
  bool operator==(const RowFingerprint&) const = default;

  // The hash as 32 hexadecimal digits, the high half first.
  std::string HashText() const;
  // kInvalid when the text is no such hash.
  static RowFingerprint FromText(uint64_t rows, std::string_view hash);
};

// Takes the text of a table's rows, in pieces cut anywhere.
class RowFingerprinter {
 public:
  RowFingerprinter();
  ~RowFingerprinter();

  // Whole rows and parts of rows. What follows the end mark, a line "\.", counts for nothing.
  void Add(std::span<const std::byte> text);
  // What has come since the last call; a row without its line feed counts as one.
  RowFingerprint Finish();

 private:
  struct CutRow;

  void AddRow(std::string_view row);
  void AddPart(std::string_view part);  // of a row that is cut
  void EndCutRow();

  RowFingerprint fingerprint_;
  std::unique_ptr<CutRow> cut_;  // the beginning of a row that is to go on
  bool ended_ = false;
};

}  // namespace pgbackup
