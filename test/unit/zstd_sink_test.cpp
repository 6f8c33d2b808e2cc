#include "core/pipeline/zstd_sink.h"

#include <zstd.h>

#include "core/base/sha256.h"
#include "core/pipeline/zstd_decode_sink.h"
#include "pipeline_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

std::string Compress(const std::string& text, size_t chunk = 1 << 20, int level = 3) {
  SinkLog log;
  ZstdSink sink(std::make_unique<LoggingSink>(&log), Compression{Codec::kZstd, level, false});
  for (size_t at = 0; at < text.size(); at += chunk)
    sink.Write(AsBytes(std::string_view(text).substr(at, chunk)));
  sink.Finish();
  EXPECT_EQ(log.finished, 1);
  return log.bytes;
}

// What comes out, in pieces of `chunk` bytes; throws what the sink throws.
std::string Decompress(const std::string& packed, size_t chunk = 1 << 20) {
  SinkLog log;
  ZstdDecodeSink sink(std::make_unique<LoggingSink>(&log), "x.zst");
  for (size_t at = 0; at < packed.size(); at += chunk)
    sink.Write(AsBytes(std::string_view(packed).substr(at, chunk)));
  sink.Finish();
  EXPECT_EQ(log.finished, 1);
  return log.bytes;
}

TEST(ZstdSink, EverySizeComesBackAsItWas) {
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{131072}, size_t{262144}, size_t{262145}, size_t{3} << 20}) {
    const std::string random = SomeBytes(size);
    EXPECT_TRUE(SameBytes(Decompress(Compress(random)), random)) << size;
    const std::string same(size, 'x');
    EXPECT_TRUE(SameBytes(Decompress(Compress(same, 1000), 7), same)) << size;
  }
}

TEST(ZstdSink, TheFrameCarriesAChecksumOfTheContent) {
  const std::string packed = Compress("some text");
  // Frame header descriptor (RFC 8878, 3.1.1.1.1): bit 2 is the content checksum flag.
  EXPECT_NE(packed[4] & 0x04, 0);
}

TEST(ZstdSink, AHigherLevelIsHeededAndReadable) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919 % 10007) + "\t";
  const std::string fast = Compress(text, 1 << 20, 1), small = Compress(text, 1 << 20, 19);
  EXPECT_LT(small.size(), fast.size());
  EXPECT_EQ(Decompress(small), text);
}

TEST(ZstdDecodeSink, RefusesAWindowThatTakesMoreMemoryThanAnyBackupNeeds) {
  // Magic number, no checksum and no size, a window of 2^31 bytes (RFC 8878, 3.1.1).
  EXPECT_EQ(
      ErrorOf([] { Decompress(std::string("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9)); }).kind(),
      ErrorKind::kCorrupt);
}

TEST(ZstdDecodeSink, ReadsSeveralFramesOneAfterTheOther) {
  EXPECT_EQ(Decompress(Compress("one ") + Compress("two")), "one two");
}

TEST(ZstdDecodeSink, RefusesAFrameCutAtAnyByte) {
  const std::string packed = Compress(SomeBytes(2000));
  for (size_t size = 0; size < packed.size(); ++size) {
    const Error error = ErrorOf([&] { Decompress(packed.substr(0, size)); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << size;
  }
}

TEST(ZstdDecodeSink, RefusesGarbageAndAChangedByte) {
  EXPECT_EQ(ErrorOf([] { Decompress("this is not zstd at all"); }).kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(ErrorOf([] { Decompress(Compress("x") + "garbage behind"); }).kind(),
            ErrorKind::kCorrupt);
  std::string packed = Compress(SomeBytes(2000));
  packed[1000] = static_cast<char>(packed[1000] ^ 1);
  EXPECT_EQ(ErrorOf([&] { Decompress(packed); }).kind(), ErrorKind::kCorrupt);
}

TEST(ZstdDecodeSink, DoesNotFinishTheNextSinkWhenTheDataEndsEarly) {
  SinkLog log;
  ZstdDecodeSink sink(std::make_unique<LoggingSink>(&log), "x.zst");
  const std::string packed = Compress("some text");
  sink.Write(AsBytes(std::string_view(packed).substr(0, packed.size() - 1)));
  EXPECT_THROW(sink.Finish(), Error);
  EXPECT_EQ(log.finished, 0);
}

}  // namespace
}  // namespace pgbackup
