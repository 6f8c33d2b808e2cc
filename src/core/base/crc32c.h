// CRC-32C (Castagnoli; RFC 3720, appendix B.4), which S3 stores take as a checksum.
//
// Uses the processor's own instruction where there is one (SSE4.2), else tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pgbackup {

uint32_t Crc32c(std::span<const std::byte> data) noexcept;

// The same without the processor's instruction; for tests.
uint32_t Crc32cByTable(std::span<const std::byte> data) noexcept;

}  // namespace pgbackup
