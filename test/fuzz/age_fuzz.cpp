// Age files, and the setting that names recipients: core/age.
#include <algorithm>
#include <memory>
#include <string>

#include "core/age/age_decrypt_sink.h"
#include "core/age/header.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/pipeline/buffer_sink.h"
#include "fuzz.h"
#include "shared/recipient_list.h"

namespace pgbackup {
namespace {

constexpr const char* kName = "object";

// What is a header is one to its last byte, and its base64 is the only way to write it.
void CheckHeader(std::string_view text) {
  try {
    const AgeHeader header = ParseAgeHeader(text, kName);
    REQUIRE(AgeHeaderSize(text, kName) == text.size());
    REQUIRE(text.substr(0, header.authenticated.size()) == header.authenticated);
    REQUIRE(!header.stanzas.empty());
    for (const Stanza& stanza : header.stanzas)
      REQUIRE(FromAgeBase64(ToAgeBase64(stanza.body)) == stanza.body);
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::kCorrupt);
  }
}

// A key that nobody wrapped a file key for opens nothing, in whatever pieces the file comes.
void CheckFile(std::string_view text, size_t piece) {
  const DecryptionKeys keys({SymmetricKey{}}, std::nullopt, "a key", "");
  AgeDecryptSink sink(std::make_unique<BufferSink>(1 << 20, kName), kName, keys);
  try {
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
      sink.Write(AsBytes(text.substr(0, piece)));
    sink.Finish();
    REQUIRE(!"opened");
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kDenied);
  }
}

void CheckRecipients(std::string_view text) {
  std::string_view bad;
  if (CheckRecipientList(text, &bad)) return;
  REQUIRE(bad.empty() || text.find(bad) != std::string_view::npos);
  REQUIRE(!IsRecipient(bad));
}

void CheckBase64(std::string_view text) {
  const auto bytes = FromAgeBase64(text);
  if (bytes) REQUIRE(ToAgeBase64(*bytes) == text);
}

}  // namespace
}  // namespace pgbackup

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = pgbackup::TextOf(data, size);
  pgbackup::CheckHeader(text);
  pgbackup::CheckFile(text, size);
  pgbackup::CheckFile(text, 7);
  pgbackup::CheckRecipients(text);
  pgbackup::CheckBase64(text);
  return 0;
}
