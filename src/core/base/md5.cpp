#include "core/base/md5.h"

#include <openssl/evp.h>

namespace pgbackup {

std::optional<std::array<std::byte, 16>> Md5Of(std::span<const std::byte> data) {
  std::array<std::byte, 16> digest;
  if (EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
                 EVP_md5(), nullptr) != 1)
    return std::nullopt;
  return digest;
}

}  // namespace pgbackup
