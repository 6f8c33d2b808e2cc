// What every codec promises, tried on all of them.
#include "core/pipeline/codec.h"

#include "codec_test_support.h"
#include "core/manifest/object_names.h"

namespace pgbackup {
namespace {

class EveryCodec : public testing::TestWithParam<const char*> {
 protected:
  std::string Compress(const std::string& text, size_t chunk = 1 << 20) {
    return Encode(text, compression_, chunk);
  }
  std::string Decompress(const std::string& packed, size_t chunk = 1 << 20) {
    return Decode(packed, name_, chunk);
  }
  ErrorKind RefusalOf(const std::string& packed) {
    return ErrorOf([&] { Decompress(packed, 100); }).kind();
  }

  const Compression compression_ = CompressionOf(GetParam());
  const std::string name_ = "x" + std::string(CodecSuffix(compression_.codec));
};

TEST_P(EveryCodec, BringsEverySizeBackAsItWas) {
  for (const size_t size : {0, 1, 65535, 65536, 65537, 262144, 262145, 5'000'000}) {
    const std::string random = SomeBytes(size);
    EXPECT_TRUE(SameBytes(Decompress(Compress(random)), random)) << size;
    const std::string rows = Rows(size);
    EXPECT_TRUE(SameBytes(Decompress(Compress(rows, 1000), 777), rows)) << size;
  }
}

TEST_P(EveryCodec, OutputInPiecesOfAByteIsTheSame) {
  const std::string text = Rows(3000);
  EXPECT_EQ(Decompress(Compress(text, 1), 1), text);
}

TEST_P(EveryCodec, WhatUnpacksToMuchMoreThanABufferIsWhole) {
  const std::string blanks(20 << 20, ' ');
  EXPECT_TRUE(SameBytes(Decompress(Compress(blanks)), blanks));
}

TEST_P(EveryCodec, NotAByteMoreThanExpectedReachesTheNextSink) {
  const std::string bomb(5 << 20, '\0');
  const std::string packed = Compress(bomb);
  for (const uint64_t expected : {0ull, 1000ull, 300'000ull, (5ull << 20) - 1}) {
    SinkLog log;
    const auto decoder =
        MakeDecoder(std::make_unique<LoggingSink>(&log), CodecOfObject(name_), name_, expected);
    const Error error = ErrorOf([&] { WriteInPieces(*decoder, packed, 1 << 20); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_EQ(error.detail(), "Its content is larger than the " + std::to_string(expected) +
                                  " bytes that the manifest records.");
    EXPECT_LE(log.bytes.size(), expected);
    EXPECT_EQ(log.finished, 0);
  }
}

TEST_P(EveryCodec, LessThanExpectedIsNotFinished) {
  SinkLog log;
  const auto decoder =
      MakeDecoder(std::make_unique<LoggingSink>(&log), CodecOfObject(name_), name_, 11);
  const Error error = ErrorOf([&] { WriteInPieces(*decoder, Compress("ten  bytes"), 3); });
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(error.detail(), "Its content has 10 bytes, the manifest records 11.");
  EXPECT_EQ(log.finished, 0);
}

TEST_P(EveryCodec, AbortReachesTheNextSink) {
  SinkLog log;
  MakeEncoder(std::make_unique<LoggingSink>(&log), compression_)->Abort();
  MakeDecoder(std::make_unique<LoggingSink>(&log), CodecOfObject(name_), name_, 0)->Abort();
  EXPECT_EQ(log.aborted, 2);
  EXPECT_EQ(log.finished, 0);
}

// Bytes that are not compressed cannot be wrong: only those that are have more to promise.
class EveryRealCodec : public EveryCodec {};

TEST_P(EveryRealCodec, ReadsSeveralStreamsOneAfterTheOther) {
  const std::string joined = Compress("one ") + Compress("") + Compress("two");
  EXPECT_EQ(Decompress(joined), "one two");
  EXPECT_EQ(Decompress(joined, 1), "one two");
}

TEST_P(EveryRealCodec, RefusesAStreamCutAtAnyByte) {
  const std::string packed = Compress(SomeBytes(2000));
  for (size_t size = 0; size < packed.size(); ++size)
    EXPECT_EQ(RefusalOf(packed.substr(0, size)), ErrorKind::kCorrupt) << size;
}

TEST_P(EveryRealCodec, RefusesASecondStreamThatIsCut) {
  const std::string packed = Compress("first"), second = Compress("second");
  for (size_t size = 1; size < second.size(); ++size)
    EXPECT_EQ(RefusalOf(packed + second.substr(0, size)), ErrorKind::kCorrupt) << size;
}

TEST_P(EveryRealCodec, RefusesWhatFollowsTheStream) {
  const std::string packed = Compress("x");
  for (const std::string& behind :
       {std::string("g"), std::string("garbage behind"), std::string(1, '\0'),
        std::string(512, '\0'), packed.substr(0, 1)})
    EXPECT_EQ(RefusalOf(packed + behind), ErrorKind::kCorrupt) << behind;
}

TEST_P(EveryRealCodec, RefusesWhatIsSomethingElse) {
  EXPECT_EQ(RefusalOf(""), ErrorKind::kCorrupt);
  EXPECT_EQ(RefusalOf("PGDMP this is an archive"), ErrorKind::kCorrupt);
  EXPECT_EQ(RefusalOf(std::string(5000, '\0')), ErrorKind::kCorrupt);
}

// A flip in what only describes the stream (the time in gzip's header) may pass, a wrong byte
// never.
TEST_P(EveryRealCodec, NeverPassesAFlippedBitOnAsGood) {
  const std::string text = Rows(1500) + SomeBytes(500);
  const std::string packed = Compress(text);
  size_t refused = 0;
  for (size_t at = 0; at < packed.size(); ++at) {
    std::string flipped = packed;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    try {
      EXPECT_EQ(Decompress(flipped), text) << at;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << at;
      ++refused;
    }
  }
  EXPECT_GT(refused, packed.size() - 20);
}

TEST_P(EveryRealCodec, DoesNotFinishTheNextSinkWhenTheDataEndsEarly) {
  SinkLog log;
  const std::unique_ptr<Sink> decoder =
      MakeDecoder(std::make_unique<LoggingSink>(&log), CodecOfObject(name_), name_, 9);
  const std::string packed = Compress("some text");
  decoder->Write(AsBytes(std::string_view(packed).substr(0, packed.size() - 1)));
  EXPECT_THROW(decoder->Finish(), Error);
  EXPECT_EQ(log.finished, 0);
}

std::string NameOf(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  for (char& c : name)
    if (c == ':' || c == ',') c = '_';
  return name;
}

constexpr const char* kReal[] = {"zstd",   "zstd:1", "zstd:3,long", "gzip",
                                 "gzip:1", "gzip:9", "lz4",         "lz4:9"};

INSTANTIATE_TEST_SUITE_P(Codecs, EveryCodec,
                         testing::Values("zstd:3", "zstd:1,long", "gzip:6", "lz4", "lz4:12",
                                         "none"),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Codecs, EveryRealCodec, testing::ValuesIn(kReal), NameOf);

TEST(Codec, NothingIsAddedWhenNothingIsCompressed) {
  EXPECT_EQ(Encode("as it is", CompressionOf("none")), "as it is");
  EXPECT_EQ(Decode("as it is", "database.sql"), "as it is");
}

TEST(Codec, ALevelIsHeeded) {
  const std::string text = Rows(300000);
  for (const auto& [fast, small] :
       {std::pair{"zstd:1", "zstd:19"}, std::pair{"gzip:1", "gzip:9"}, std::pair{"lz4", "lz4:9"}})
    EXPECT_LT(Encode(text, CompressionOf(small)).size(), Encode(text, CompressionOf(fast)).size())
        << small;
}

TEST(Codec, LongDistanceFindsWhatRepeatsFarAway) {
  const std::string once = SomeBytes(20 << 20);
  const std::string packed = Encode(once + once, CompressionOf("zstd:1,long"));
  EXPECT_LT(packed.size(), once.size() * 11 / 10);
  EXPECT_GT(Encode(once + once, CompressionOf("zstd:1")).size(), once.size() * 19 / 10);
  EXPECT_TRUE(SameBytes(Decode(packed, "x.zst"), once + once));
}

TEST(Codec, TheDecoderIsThatOfTheObjectsName) {
  const std::string packed = Encode("text", CompressionOf("gzip"));
  for (const char* name : {"data-000.dump.gz", "data-000.dump.gz.part3", "globals.sql.gz.age"})
    EXPECT_EQ(Decode(packed, name), "text") << name;
  EXPECT_EQ(Decode(packed, "schema.dump"), packed);
}

}  // namespace
}  // namespace pgbackup
