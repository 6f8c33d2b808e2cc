// What the tests of encryption share: keys, and whole texts through the sinks.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "codec_test_support.h"
#include "core/age/age_decrypt_sink.h"
#include "core/age/age_encrypt_sink.h"
#include "core/age/key_files.h"
#include "shared/bech32.h"

namespace pgbackup {

inline SymmetricKey IdentityOf(std::string_view text) {
  SymmetricKey key;
  EXPECT_TRUE(KeyFromBech32(text, kIdentityPrefix, std::span<std::byte, 32>(key.data(), 32)))
      << text;
  return key;
}

// A key pair of a test.
struct TestKeys {
  NewIdentity made = MakeIdentity(*SystemEnvironment());
  EncryptionKeys encryption = EncryptionKeys::ForRecipients(made.recipient);
  SymmetricKey identity =
      IdentityOf(std::string_view(made.file).substr(made.file.find("AGE-"), 74));
  DecryptionKeys decryption{{identity}, std::nullopt, "the test's key", "It was for somebody."};
};

inline std::string EncryptWith(const EncryptionKeys& keys, const std::string& text,
                               size_t chunk = 1 << 20) {
  SinkLog log;
  AgeEncryptSink sink(std::make_unique<LoggingSink>(&log), keys, *SystemEnvironment());
  WriteInPieces(sink, text, chunk);
  EXPECT_EQ(log.finished, 1);
  return log.bytes;
}

// Throws what the sink throws; *log has what was passed on until then.
inline void DecryptWith(const DecryptionKeys& keys, const std::string& sealed, SinkLog* log,
                        size_t chunk = 1 << 20) {
  AgeDecryptSink sink(std::make_unique<LoggingSink>(log), "x.age", keys);
  WriteInPieces(sink, sealed, chunk);
}

inline std::string DecryptWith(const DecryptionKeys& keys, const std::string& sealed,
                               size_t chunk = 1 << 20) {
  SinkLog log;
  DecryptWith(keys, sealed, &log, chunk);
  EXPECT_EQ(log.finished, 1);
  return log.bytes;
}

}  // namespace pgbackup
