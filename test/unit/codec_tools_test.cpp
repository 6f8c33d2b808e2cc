// The tools that everybody has read what we write, and we read what they write.
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "codec_test_support.h"
#include "core/manifest/object_names.h"

namespace pgbackup {
namespace {

struct Tool {
  const char* compression;  // ours
  const char* compress;     // their command: standard input to standard output
  const char* decompress;   // a file to standard output; verifies the checksum
};

constexpr Tool kTools[] = {
    {"zstd:3", "zstd -c --no-check", "zstd -dc"},
    {"zstd:1,long", "zstd -c --long", "zstd -dc"},
    {"gzip", "gzip -1c", "gunzip -c"},
    {"gzip:9", "gzip -9c", "zcat"},
    {"lz4", "lz4 -c", "lz4 -dc"},
    {"lz4:9", "lz4 -9 -BD -BX -c", "lz4 -dc"},
    {"lz4:12", "lz4 --no-frame-crc -c", "lz4 -dc"},
};

class CodecTools : public testing::TestWithParam<Tool> {
 protected:
  void SetUp() override {
    const std::string program(GetParam().compress, std::string_view(GetParam().compress).find(' '));
    if (Run("command -v " + program).empty()) GTEST_SKIP() << program << " is not here";
  }

  // What a command writes; an exit status other than 0 fails the test.
  static std::string Run(const std::string& command) {
    FILE* pipe = popen(command.c_str(), "r");
    std::string output;
    char buffer[65536];
    for (size_t got; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, got);
    EXPECT_EQ(pclose(pipe), 0) << command;
    return output;
  }

  std::string Store(const std::string& bytes) const {
    std::string path = folder_.path() + "/x" + suffix_;
    FILE* file = fopen(path.c_str(), "w");
    EXPECT_EQ(fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
    fclose(file);
    return path;
  }

  TemporaryDirectory folder_;
  const Compression compression_ = CompressionOf(GetParam().compression);
  const std::string suffix_{CodecSuffix(compression_.codec)};
};

TEST_P(CodecTools, ReadEachOther) {
  for (const size_t size : {0, 1, 65535, 65536, 5'000'000})
    for (const std::string& text : {SomeBytes(size), Rows(size)}) {
      const std::string ours = Store(Encode(text, compression_));
      EXPECT_TRUE(SameBytes(Run(std::string(GetParam().decompress) + " " + ours), text)) << size;
      const std::string plain = Store(text);
      EXPECT_TRUE(SameBytes(
          Decode(Run(std::string(GetParam().compress) + " < " + plain), "x" + suffix_, 1 << 18),
          text))
          << size;
    }
}

// More than the window, with repetitions across it: the reader needs all of the window.
TEST(CodecToolsWindow, ZstdReadsLongDistanceWithoutASwitch) {
  if (system("command -v zstd >/dev/null") != 0) GTEST_SKIP() << "zstd is not here";
  std::string text = SomeBytes(30 << 20);
  while (text.size() < 150u << 20) text += text.substr(0, 30 << 20);
  TemporaryDirectory folder;
  const std::string path = folder.path() + "/x.zst";
  const std::string packed = Encode(text, CompressionOf("zstd:1,long"));
  FILE* file = fopen(path.c_str(), "w");
  ASSERT_EQ(fwrite(packed.data(), 1, packed.size(), file), packed.size());
  fclose(file);
  EXPECT_EQ(system(("zstd -tq " + path).c_str()), 0);
}

INSTANTIATE_TEST_SUITE_P(Tools, CodecTools, testing::ValuesIn(kTools),
                         [](const testing::TestParamInfo<Tool>& info) {
                           std::string name = info.param.compression;
                           for (char& c : name)
                             if (c == ':' || c == ',') c = '_';
                           return name;
                         });

}  // namespace
}  // namespace pgbackup
