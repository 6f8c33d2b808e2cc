// The public test vectors of the age format (C2SP/CCTV).
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "age_test_support.h"

namespace pgbackup {
namespace {

struct Vector {
  std::map<std::string, std::string> fields;
  std::string file;
};

std::string Inflated(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit(&stream), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  char buffer[65536];
  for (int code = Z_OK; code == Z_OK;) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    code = inflate(&stream, Z_NO_FLUSH);
    EXPECT_TRUE(code == Z_OK || code == Z_STREAM_END);
    text.append(buffer, sizeof buffer - stream.avail_out);
  }
  inflateEnd(&stream);
  return text;
}

Vector ReadVector(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  Vector vector;
  for (std::string line; std::getline(in, line) && !line.empty();)
    vector.fields[line.substr(0, line.find(": "))] = line.substr(line.find(": ") + 2);
  std::stringstream rest;
  rest << in.rdbuf();
  vector.file = vector.fields.count("compressed") != 0 ? Inflated(rest.str()) : rest.str();
  return vector;
}

std::string FolderOfVectors() {
  const char* given = getenv("PGBACKUP_TEST_AGE_VECTORS");
  return given != nullptr ? given : SOURCE_DIR "/../shared/vectors/age";
}

// The outcome in the words of the vectors.
std::string OutcomeOf(const Error& error) {
  if (error.kind() == ErrorKind::kDenied) return "no match";
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.message();
  EXPECT_EQ(error.message(), "object \"x.age\" is damaged");
  if (error.detail().find("proper header") != std::string::npos) return "header failure";
  if (error.detail().find("MAC") != std::string::npos) return "HMAC failure";
  return "payload failure";
}

void Try(const Vector& vector, size_t chunk) {
  std::vector<SymmetricKey> identities;
  std::optional<SecretText> passphrase;
  if (const auto found = vector.fields.find("identity"); found != vector.fields.end())
    identities.push_back(IdentityOf(found->second));
  if (const auto found = vector.fields.find("passphrase"); found != vector.fields.end())
    passphrase.emplace(found->second);
  const DecryptionKeys keys(std::move(identities), std::move(passphrase), "it", "");
  SinkLog log;
  std::string outcome = "success";
  try {
    DecryptWith(keys, vector.file, &log, chunk);
  } catch (const Error& error) {
    outcome = OutcomeOf(error);
  }
  EXPECT_EQ(outcome, vector.fields.at("expect"));
  // Also of a file that turns out to be bad: what was passed on is what its good chunks hold.
  const auto payload = vector.fields.find("payload");
  EXPECT_EQ(ToHex(Sha256::Of(log.bytes)),
            payload != vector.fields.end() ? payload->second : ToHex(Sha256::Of("")));
}

// Not ours: armor is for text channels, hybrid is a type of recipient beyond X25519 and scrypt.
bool Applies(const std::string& name) {
  return name.rfind("armor_", 0) != 0 && name.rfind("hybrid", 0) != 0;
}

TEST(AgeVectors, AllThatApply) {
  const std::string folder = FolderOfVectors();
  if (!std::filesystem::is_directory(folder))
    GTEST_SKIP() << "the vectors are not at " << folder << " (PGBACKUP_TEST_AGE_VECTORS)";
  int ran = 0;
  int skipped = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file()) continue;
    if (!Applies(name)) {
      ++skipped;
      continue;
    }
    ++ran;
    SCOPED_TRACE(name);
    const Vector vector = ReadVector(entry.path());
    for (const size_t chunk : {size_t{1}, size_t{65536}, size_t{100'000'000}})
      if (chunk > 1 || vector.file.size() < 10'000) Try(vector, chunk);
  }
  std::cout << ran << " vectors, without " << skipped << " named armor_* and hybrid*\n";
  EXPECT_GE(ran, 90);
}

}  // namespace
}  // namespace pgbackup
