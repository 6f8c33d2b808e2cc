#include "core/fingerprint/row_fingerprint.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <charconv>
#include <utility>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr std::string_view kEndMark = "\\.";

RowFingerprint OfOne(const XXH128_hash_t& hash) {
  return {1, hash.low64, hash.high64};
}

bool ParseHalf(std::string_view digits, uint64_t* half) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + 16, *half, 16);
  return error == std::errc() && end == digits.data() + 16;
}

}  // namespace

RowFingerprint& RowFingerprint::operator+=(const RowFingerprint& other) noexcept {
  rows += other.rows;
  low += other.low;
  high += other.high;
  return *this;
}

std::string RowFingerprint::HashText() const {
  return fmt::format("{:016x}{:016x}", high, low);
}

RowFingerprint RowFingerprint::FromText(uint64_t rows, std::string_view hash) {
  RowFingerprint fingerprint;
  fingerprint.rows = rows;
  if (hash.size() != 32 || !ParseHalf(hash, &fingerprint.high) ||
      !ParseHalf(hash.substr(16), &fingerprint.low))
    throw Error(ErrorKind::kInvalid, fmt::format("\"{}\" is no fingerprint", hash));
  return fingerprint;
}

// A row of which only a part has come. Short ones are kept, so that the end mark is seen.
struct RowFingerprinter::CutRow {
  XXH3_state_t state;
  std::string begin;  // the first bytes
  bool open = false;
};

RowFingerprinter::RowFingerprinter() : cut_(std::make_unique<CutRow>()) {}
RowFingerprinter::~RowFingerprinter() = default;

void RowFingerprinter::AddRow(std::string_view row) {
  if (row == kEndMark)
    ended_ = true;
  else
    fingerprint_ += OfOne(XXH3_128bits(row.data(), row.size()));
}

void RowFingerprinter::AddPart(std::string_view part) {
  if (!cut_->open) {
    XXH3_128bits_reset(&cut_->state);
    cut_->begin.clear();
    cut_->open = true;
  }
  XXH3_128bits_update(&cut_->state, part.data(), part.size());
  if (cut_->begin.size() <= kEndMark.size())
    cut_->begin.append(part.substr(0, kEndMark.size() + 1));
}

void RowFingerprinter::EndCutRow() {
  cut_->open = false;
  if (cut_->begin == kEndMark)
    ended_ = true;
  else
    fingerprint_ += OfOne(XXH3_128bits_digest(&cut_->state));
}

void RowFingerprinter::Add(std::span<const std::byte> text) {
  std::string_view rest(reinterpret_cast<const char*>(text.data()), text.size());
  while (!rest.empty() && !ended_) {
    const size_t length = rest.find('\n');
    if (length == std::string_view::npos) return AddPart(rest);
    const std::string_view piece = rest.substr(0, length);
    rest.remove_prefix(length + 1);
    if (cut_->open) {
      AddPart(piece);
      EndCutRow();
    } else {
      AddRow(piece);
    }
  }
}

RowFingerprint RowFingerprinter::Finish() {
  if (cut_->open) EndCutRow();
  ended_ = false;
  return std::exchange(fingerprint_, {});
}

}  // namespace pgbackup
