#include "core/base/crc32c.h"

#include "core/base/crc_table.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace pgbackup {
namespace {

using Table = CrcTable<uint32_t, 0x82f63b78>;

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t ByInstruction(std::span<const std::byte> data) noexcept {
  uint64_t crc = 0xffffffff;
  while (data.size() >= sizeof(uint64_t)) {
    uint64_t word = 0;
    memcpy(&word, data.data(), sizeof word);
    crc = _mm_crc32_u64(crc, word);
    data = data.subspan(sizeof word);
  }
  auto rest = static_cast<uint32_t>(crc);
  for (const std::byte byte : data) rest = _mm_crc32_u8(rest, std::to_integer<uint8_t>(byte));
  return ~rest;
}
#endif

}  // namespace

uint32_t Crc32cByTable(std::span<const std::byte> data) noexcept {
  return ~Table::Update(0xffffffff, data);
}

uint32_t Crc32c(std::span<const std::byte> data) noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ByInstruction(data);
#endif
  return Crc32cByTable(data);
}

}  // namespace pgbackup
