#include "age_test_support.h"

namespace pgbackup {
namespace {

constexpr size_t kSizes[] = {0, 1, 65535, 65536, 65537, 131072, 5'000'000};

TEST(AgeSink, OpensWhatItHasSealed) {
  const TestKeys keys;
  for (const size_t size : kSizes)
    for (const size_t chunk : {size_t{1000}, size_t{65536}, size_t{1} << 20}) {
      const std::string text = SomeBytes(size);
      const std::string sealed = EncryptWith(keys.encryption, text, chunk);
      EXPECT_TRUE(SameBytes(DecryptWith(keys.decryption, sealed, chunk), text)) << size;
    }
}

TEST(AgeSink, TakesEveryRecipient) {
  const TestKeys one;
  const TestKeys other;
  const EncryptionKeys both =
      EncryptionKeys::ForRecipients(one.made.recipient + " ,\n" + other.made.recipient);
  EXPECT_EQ(both.recipients(),
            (std::vector<std::string>{one.made.recipient, other.made.recipient}));
  const std::string sealed = EncryptWith(both, "rows");
  EXPECT_EQ(DecryptWith(one.decryption, sealed), "rows");
  EXPECT_EQ(DecryptWith(other.decryption, sealed), "rows");
  EXPECT_EQ(DecryptWith({{TestKeys().identity, other.identity}, std::nullopt, "", ""}, sealed),
            "rows");
}

TEST(AgeSink, TellsAWrongKeyFromDamage) {
  const std::string sealed = EncryptWith(TestKeys().encryption, "rows");
  const TestKeys keys;
  const Error error = ErrorOf([&] { DecryptWith(keys.decryption, sealed); });
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_EQ(error.message(), "object \"x.age\" cannot be decrypted with the test's key");
  EXPECT_EQ(error.detail(), "It was for somebody.");
}

TEST(AgeSink, TakesAPassphrase) {
  // A work factor that takes milliseconds.
  const EncryptionKeys keys = EncryptionKeys::ForPassphrase(SecretText("open sesame"), 10);
  const std::string sealed = EncryptWith(keys, "rows");
  EXPECT_NE(sealed.find("-> scrypt "), std::string::npos);
  EXPECT_EQ(DecryptWith({{}, SecretText("open sesame"), "", ""}, sealed), "rows");
  EXPECT_EQ(ErrorOf([&] {
              DecryptWith({{}, SecretText("open"), "", ""}, sealed);
            }).kind(),
            ErrorKind::kDenied);
  EXPECT_EQ(EncryptionKeys::ForPassphrase(SecretText("x")).scheme(), "age-scrypt");
}

TEST(AgeSink, SealsNothingTwiceAlike) {
  const TestKeys keys;
  EXPECT_NE(EncryptWith(keys.encryption, "rows"), EncryptWith(keys.encryption, "rows"));
}

TEST(AgeSink, HoldsAFullChunkUntilMoreBytesArrive) {
  const TestKeys keys;
  SinkLog log;
  AgeEncryptSink sink(std::make_unique<LoggingSink>(&log), keys.encryption, *SystemEnvironment());
  const std::string chunk = SomeBytes(kChunkSize);
  sink.Write(AsBytes(chunk));
  EXPECT_EQ(log.bytes, "");
  sink.Write(AsBytes("x"));
  EXPECT_GT(log.bytes.size(), kSealedChunkSize);

  const std::string sealed = EncryptWith(keys.encryption, chunk + chunk);
  SinkLog opened;
  AgeDecryptSink decrypt(std::make_unique<LoggingSink>(&opened), "x.age", keys.decryption);
  const size_t begin = sealed.size() - 2 * kSealedChunkSize;
  decrypt.Write(AsBytes(sealed.substr(0, begin + kSealedChunkSize)));
  EXPECT_EQ(opened.bytes, "");
  decrypt.Write(AsBytes(sealed.substr(begin + kSealedChunkSize)));
  EXPECT_TRUE(SameBytes(opened.bytes, chunk));
  decrypt.Finish();
  EXPECT_TRUE(SameBytes(opened.bytes, chunk + chunk));
}

TEST(AgeSink, AbortsWhatComesBehind) {
  const TestKeys keys;
  SinkLog log;
  AgeEncryptSink(std::make_unique<LoggingSink>(&log), keys.encryption, *SystemEnvironment())
      .Abort();
  AgeDecryptSink(std::make_unique<LoggingSink>(&log), "x.age", keys.decryption).Abort();
  EXPECT_EQ(log.aborted, 2);
}

// What is left of a file that was changed is not more than the chunks before the change.
void ExpectRefused(const TestKeys& keys, const std::string& sealed, const std::string& text,
                   const std::string& what) {
  SinkLog log;
  // With its recipient's line changed, it is somebody else's file.
  const ErrorKind kind =
      ErrorOf([&] { DecryptWith(keys.decryption, sealed, &log, 10'000); }).kind();
  EXPECT_TRUE(kind == ErrorKind::kCorrupt || kind == ErrorKind::kDenied) << what;
  EXPECT_EQ(log.finished, 0) << what;
  EXPECT_TRUE(SameBytes(log.bytes, text.substr(0, log.bytes.size()))) << what;
  EXPECT_EQ(log.bytes.size() % kChunkSize, 0u) << what;
}

TEST(AgeSink, RefusesEveryFlippedBit) {
  const TestKeys keys;
  const std::string text = SomeBytes(3 * kChunkSize / 2);
  const std::string sealed = EncryptWith(keys.encryption, text);
  const size_t begin = sealed.size() - text.size() - 2 * ChaCha20Poly1305::kTagSize;
  std::vector<size_t> places;  // all of the header, the nonce, and some of either chunk
  for (size_t at = 0; at < begin + 2; ++at) places.push_back(at);
  for (const size_t at : {begin + kChunkSize - 1, begin + kChunkSize, begin + kSealedChunkSize - 1,
                          begin + kSealedChunkSize, sealed.size() - 17, sealed.size() - 1})
    places.push_back(at);
  for (const size_t at : places)
    for (const int bit : {0, 5, 7}) {
      std::string changed = sealed;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      ExpectRefused(keys, changed, text, "byte " + std::to_string(at));
    }
}

TEST(AgeSink, RefusesWhatIsCutOffOrInAnotherOrder) {
  const TestKeys keys;
  const std::string text = SomeBytes(3 * kChunkSize);
  const std::string sealed = EncryptWith(keys.encryption, text);
  const size_t begin = sealed.size() - 3 * kSealedChunkSize;
  for (const size_t size :
       {size_t{0}, size_t{1}, begin - 16, begin - 1, begin, begin + 1, begin + kSealedChunkSize - 1,
        begin + kSealedChunkSize, begin + 2 * kSealedChunkSize, sealed.size() - 1})
    ExpectRefused(keys, sealed.substr(0, size), text, "size " + std::to_string(size));
  std::string without_a_byte = sealed;
  without_a_byte.erase(begin + 100, 1);
  ExpectRefused(keys, without_a_byte, text, "a byte less");
  ExpectRefused(keys, sealed + "x", text, "a byte more");
  const auto chunk = [&](size_t i) {
    return sealed.substr(begin + i * kSealedChunkSize, kSealedChunkSize);
  };
  const std::string head = sealed.substr(0, begin);
  ExpectRefused(keys, head + chunk(1) + chunk(0) + chunk(2), text, "swapped");
  ExpectRefused(keys, head + chunk(0) + chunk(2), text, "one left out");
  ExpectRefused(keys, head + chunk(0) + chunk(1) + chunk(1) + chunk(2), text, "one twice");
}

}  // namespace
}  // namespace pgbackup
