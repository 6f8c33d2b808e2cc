#include <gtest/gtest.h>

#include "core/base/crc32c.h"
#include "core/base/crc64nvme.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

// One bit at a time, straight from the definition.
template <typename Word>
Word Slowly(std::string_view text, Word polynomial) {
  Word crc = ~Word{0};
  for (const char c : text) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : Word{0});
  }
  return ~crc;
}

TEST(Crc32c, GivesThePublishedValues) {
  EXPECT_EQ(Crc32c({}), 0u);
  EXPECT_EQ(Crc32c(AsBytes("123456789")), 0xe3069283u);
  // RFC 3720, appendix B.4.
  EXPECT_EQ(Crc32c(AsBytes(std::string(32, '\0'))), 0x8a9136aau);
  EXPECT_EQ(Crc32c(AsBytes(std::string(32, '\xff'))), 0x62a8ab43u);
  std::string rising;
  for (char c = 0; c < 32; ++c) rising += c;
  EXPECT_EQ(Crc32c(AsBytes(rising)), 0x46dd794eu);
}

TEST(Crc64Nvme, GivesThePublishedValues) {
  EXPECT_EQ(Crc64Nvme({}), 0u);
  EXPECT_EQ(Crc64Nvme(AsBytes("123456789")), 0xae8b14860a799888u);
  // NVM Express, NVM Command Set, 5.2.1.3.4.
  EXPECT_EQ(Crc64Nvme(AsBytes(std::string(4096, '\0'))), 0x6482d367eb22b64eu);
  EXPECT_EQ(Crc64Nvme(AsBytes(std::string(4096, '\xff'))), 0xc0ddba7302eca3acu);
}

TEST(Crc, IsTheSameByTableByInstructionBitByBitAtAnyLengthAndPlace) {
  const std::string bytes = SomeBytes(300);
  for (size_t from = 0; from < 9; ++from)
    for (size_t length = 0; length < 280; length += 1 + length / 20) {
      const std::string_view text = std::string_view(bytes).substr(from, length);
      const uint32_t crc32c = Slowly<uint32_t>(text, 0x82f63b78);
      EXPECT_EQ(Crc32c(AsBytes(text)), crc32c) << from << " " << length;
      EXPECT_EQ(Crc32cByTable(AsBytes(text)), crc32c) << from << " " << length;
      EXPECT_EQ(Crc64Nvme(AsBytes(text)), Slowly<uint64_t>(text, 0x9a6c9329ac4bc9b5))
          << from << " " << length;
    }
}

}  // namespace
}  // namespace pgbackup
