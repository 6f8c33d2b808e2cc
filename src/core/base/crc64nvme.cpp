#include "core/base/crc64nvme.h"

#include "core/base/crc_table.h"

namespace pgbackup {

uint64_t Crc64Nvme(std::span<const std::byte> data) noexcept {
  return ~CrcTable<uint64_t, 0x9a6c9329ac4bc9b5>::Update(~uint64_t{0}, data);
}

}  // namespace pgbackup
