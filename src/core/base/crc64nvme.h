// CRC-64/NVME (NVM Express, "64b CRC"), which S3 stores take as a checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pgbackup {

uint64_t Crc64Nvme(std::span<const std::byte> data) noexcept;

}  // namespace pgbackup
