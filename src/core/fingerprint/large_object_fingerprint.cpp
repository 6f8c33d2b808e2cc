#include "core/fingerprint/large_object_fingerprint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <utility>

namespace pgbackup {

QualifiedName LargeObjectsName() {
  return {"pg_catalog", "pg_largeobject"};
}

struct LargeObjectFingerprinter::Current {
  XXH3_state_t state;
  bool open = false;
};

LargeObjectFingerprinter::LargeObjectFingerprinter() : current_(std::make_unique<Current>()) {}
LargeObjectFingerprinter::~LargeObjectFingerprinter() = default;

void LargeObjectFingerprinter::Begin(uint32_t oid) {
  End();
  XXH3_128bits_reset(&current_->state);
  std::array<unsigned char, 8> bytes{};
  for (size_t i = 0; i < 4; ++i) bytes[i] = static_cast<unsigned char>(oid >> (8 * i));
  XXH3_128bits_update(&current_->state, bytes.data(), bytes.size());
  current_->open = true;
}

void LargeObjectFingerprinter::Add(std::span<const std::byte> contents) {
  XXH3_128bits_update(&current_->state, contents.data(), contents.size());
}

void LargeObjectFingerprinter::End() {
  if (!current_->open) return;
  const XXH128_hash_t hash = XXH3_128bits_digest(&current_->state);
  fingerprint_ += {1, hash.low64, hash.high64};
  current_->open = false;
}

RowFingerprint LargeObjectFingerprinter::Finish() {
  End();
  return std::exchange(fingerprint_, {});
}

}  // namespace pgbackup
