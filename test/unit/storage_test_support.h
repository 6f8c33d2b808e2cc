// What the tests of storage backends share.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/environment.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/pipeline/sink.h"
#include "core/s3/upload_plan.h"
#include "core/storage/storage.h"
#include "error_test_support.h"

namespace pgbackup {

// The size of parts, in bytes, of tests that upload more than one: as small as stores take them.
constexpr size_t kPart = kLeastPartSize;

// Keeps what is written to it.
class MemorySink final : public Sink {
 public:
  void Write(std::span<const std::byte> data) override {
    text.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  void Finish() override {}
  void Abort() noexcept override {}
  std::string text;
};

// Bytes that differ from place to place, so that a part in the wrong place shows.
inline std::string SomeBytes(size_t size, uint32_t seed = 1) {
  std::string bytes(size, '\0');
  uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
  for (size_t i = 0; i < size; i += 8) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    memcpy(bytes.data() + i, &state, std::min<size_t>(8, size - i));
  }
  return bytes;
}

// Compares without printing megabytes.
inline ::testing::AssertionResult SameBytes(const std::string& got, const std::string& want) {
  if (got == want) return ::testing::AssertionSuccess();
  size_t at = 0;
  while (at < got.size() && at < want.size() && got[at] == want[at]) ++at;
  return ::testing::AssertionFailure()
         << "sizes " << got.size() << " and " << want.size() << ", first difference at byte " << at;
}

inline void WriteObject(Storage& storage, const std::string& name, const std::string& content,
                        const PutOptions& options = {}, size_t chunk = 100'000) {
  const auto sink = storage.Put(name, options);
  for (size_t at = 0; at < content.size(); at += chunk)
    sink->Write(AsBytes(std::string_view(content).substr(at, chunk)));
  sink->Finish();
}

inline std::string ReadObjectText(Storage& storage, const std::string& name, uint64_t offset = 0,
                                  uint64_t length = Storage::kToTheEnd) {
  MemorySink sink;
  storage.Get(name, sink, offset, length);
  return std::move(sink.text);
}

inline std::vector<std::string> ListNames(Storage& storage, const std::string& prefix) {
  std::vector<std::string> names;
  storage.List(prefix, [&](const ObjectInfo& object) { names.push_back(object.name); });
  return names;
}

// How much there was of what a test has left.
struct Removed {
  uint64_t objects = 0, unfinished_uploads = 0;
};

// Removes all that lies below `prefix`, whoever put it there.
inline Removed RemoveEverything(Storage& storage, const std::string& prefix) {
  std::vector<UnfinishedUpload> uploads;
  storage.ListUnfinished(prefix, [&](const auto& upload) { uploads.push_back(upload); });
  const std::vector<std::string> names = ListNames(storage, prefix);
  for (const std::string& name : names) storage.Delete(name);
  for (const UnfinishedUpload& upload : uploads) storage.AbortUnfinished(upload);
  return {names.size(), uploads.size()};
}

// A directory of its own, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "pgbackup-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace pgbackup
