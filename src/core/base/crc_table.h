// Tables of a reflected CRC, for eight bytes at a step ("slicing by eight").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace pgbackup {

// `Word` is as wide as the CRC, `kPolynomial` its reflected polynomial.
template <typename Word, Word kPolynomial>
class CrcTable {
 public:
  // Goes on from `crc`, with no inversion at either end.
  static Word Update(Word crc, std::span<const std::byte> data) noexcept {
    while (data.size() >= kStep) {
      std::array<uint8_t, kStep> bytes;
      memcpy(bytes.data(), data.data(), kStep);
      for (size_t i = 0; i < sizeof(Word); ++i) bytes[i] ^= static_cast<uint8_t>(crc >> (8 * i));
      crc = 0;
      for (size_t i = 0; i < kStep; ++i) crc ^= kTables[kStep - 1 - i][bytes[i]];
      data = data.subspan(kStep);
    }
    for (const std::byte byte : data)
      crc = kTables[0][(crc ^ std::to_integer<uint8_t>(byte)) & 0xff] ^ (crc >> 8);
    return crc;
  }

 private:
  static constexpr size_t kStep = 8;
  using Tables = std::array<std::array<Word, 256>, kStep>;

  static constexpr Tables Make() {
    Tables tables{};
    for (size_t i = 0; i < 256; ++i) {
      Word crc = static_cast<Word>(i);
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
      tables[0][i] = crc;
    }
    for (size_t step = 1; step < kStep; ++step)
      for (size_t i = 0; i < 256; ++i) {
        const Word before = tables[step - 1][i];
        tables[step][i] = tables[0][before & 0xff] ^ (before >> 8);
      }
    return tables;
  }

  static constexpr Tables kTables = Make();
};

}  // namespace pgbackup
