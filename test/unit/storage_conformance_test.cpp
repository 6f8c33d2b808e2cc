// The contract of core/storage/storage.h, checked against every backend: a directory, and every
// real S3 server there is (see s3_servers.h), each over HTTP, over TLS and with the bucket in the
// host's name.
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <thread>

#include "core/http/curl_transport.h"
#include "core/ownership/claim.h"
#include "core/s3/s3_storage.h"
#include "core/storage/probe_report.h"
#include "core/storage_backends/open_storage.h"
#include "s3_servers.h"
#include "shared/storage_url.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

enum class Access { kPlain, kTls, kVirtualHosted };

struct Backend {
  std::optional<S3Slot> server;  // nullopt: a directory
  Access access = Access::kPlain;
};

std::string BackendName(const ::testing::TestParamInfo<Backend>& info) {
  constexpr const char* kAccess[] = {"Plain", "Tls", "VirtualHosted"};
  if (!info.param.server) return "File";
  return S3SlotName(*info.param.server) + kAccess[static_cast<size_t>(info.param.access)];
}

class StorageConformance : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (!GetParam().server) {
      settings_.url = "file://" + directory_.path();
    } else {
      const S3Server server(*GetParam().server, *environment_);
      if (!server.is_there()) GTEST_SKIP() << server.WhyNotThere();
      settings_ = GetParam().access == Access::kTls ? server.TlsSettings() : server.Settings();
      settings_.s3.part_size = kPart;
      if (GetParam().access == Access::kVirtualHosted) {
        settings_.s3.endpoint = WithHost(settings_.s3.endpoint, "localhost");
        if (settings_.s3.endpoint.empty()) GTEST_SKIP() << "needs a server on 127.0.0.1";
        settings_.s3.path_style = "off";
      }
    }
    std::array<std::byte, 8> random;
    environment_->FillRandom(random);
    settings_.url += "/conformance-" + ToHex(random);
    storage_ = OpenStorage(settings_, *environment_, cancellation_);
  }

  void TearDown() override {
    if (!storage_) return;
    Cancellation fresh;
    const auto storage = OpenStorage(settings_, *environment_, fresh);
    RemoveEverything(*storage, "t/");
  }

  // Nothing is below "t": no object, no unfinished upload.
  void ExpectNothingLeft() {
    Cancellation fresh;
    const auto storage = OpenStorage(settings_, *environment_, fresh);
    EXPECT_EQ(ListNames(*storage, "t/"), std::vector<std::string>());
    const Removed report = RemoveEverything(*storage, "t/");
    EXPECT_EQ(report.objects, 0u);
    EXPECT_EQ(report.unfinished_uploads, 0u);
  }

  std::unique_ptr<Storage> OpenWithPagesOf(int objects) {
    StorageUrl url;
    const char* error = nullptr;
    EXPECT_TRUE(ParseStorageUrl(settings_.url, &url, &error));
    S3Limits limits;
    limits.page_size = objects;
    return std::make_unique<S3Storage>(S3Location{std::string(url.bucket), std::string(url.prefix)},
                                       settings_.s3, limits,
                                       std::make_unique<CurlTransport>(settings_.s3.ca_file),
                                       *environment_, cancellation_, nullptr);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Environment> environment_ = SystemEnvironment();
  Cancellation cancellation_;
  StorageSettings settings_;
  std::unique_ptr<Storage> storage_;
};

TEST_P(StorageConformance, GivesBackObjectsOfEverySize) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{1000}, size_t{70'000}, size_t{2'000'000},
                            kPart - 1, kPart, kPart + 1, 2 * kPart, 4 * kPart + 17}) {
    const std::string content = SomeBytes(size);
    const std::string name = "t/size-" + std::to_string(size);
    WriteObject(*storage_, name, content);
    EXPECT_TRUE(SameBytes(ReadObjectText(*storage_, name), content)) << size;
    const auto head = storage_->Head(name);
    ASSERT_TRUE(head) << size;
    EXPECT_EQ(head->size, size);
    EXPECT_EQ(head->name, name);
  }
}

TEST_P(StorageConformance, TakesWritesOfEverySize) {
  const std::string content = SomeBytes(2 * kPart + 12'345);
  WriteObject(*storage_, "t/small writes", content, {}, 4099);
  WriteObject(*storage_, "t/one write", content, {}, content.size());
  EXPECT_TRUE(SameBytes(ReadObjectText(*storage_, "t/small writes"), content));
  EXPECT_TRUE(SameBytes(ReadObjectText(*storage_, "t/one write"), content));
}

TEST_P(StorageConformance, KeepsAnyNameAsItIs) {
  const std::vector<std::string> names = {"t/a b",
                                          "t/a%20b",
                                          "t/a+b",
                                          "t/a=b",
                                          "t/a&b;c,d",
                                          "t/quote\"'",
                                          "t/back\\slash",
                                          "t/100%",
                                          "t/question?x=1#y",
                                          "t/häßlich",
                                          "t/数据/пример",
                                          "t/😀",
                                          "t/<xml>&amp;",
                                          "t/~tilde*(1)!@$",
                                          "t/.hidden",
                                          "t/ leading and trailing ",
                                          "t/two  blanks",
                                          "t/colon:|pipe",
                                          "t/deep/er/and/deep/er"};
  for (const std::string& name : names) {
    ASSERT_TRUE(IsValidObjectName(name)) << name;
    WriteObject(*storage_, name, name);
  }
  for (const std::string& name : names) EXPECT_EQ(ReadObjectText(*storage_, name), name);
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(ListNames(*storage_, "t/"), sorted);
  for (const std::string& name : names) storage_->Delete(name);
  EXPECT_EQ(ListNames(*storage_, "t/"), std::vector<std::string>());
}

TEST_P(StorageConformance, RefusesNamesThatLeaveTheStorage) {
  for (const char* name :
       {"", "/", "/t", "t/", "t//x", "..", "../x", "t/../x", "t/./x", "t/..", "t/a\nb", "t/\xff"}) {
    EXPECT_EQ(ErrorOf([&] { storage_->Put(name); }).kind(), ErrorKind::kInvalid) << name;
    EXPECT_EQ(ErrorOf([&] { storage_->Delete(name); }).kind(), ErrorKind::kInvalid) << name;
    EXPECT_EQ(ErrorOf([&] { storage_->Head(name); }).kind(), ErrorKind::kInvalid) << name;
  }
}

TEST_P(StorageConformance, OverwritesAnObject) {
  WriteObject(*storage_, "t/x", "first");
  WriteObject(*storage_, "t/x", "second");
  EXPECT_EQ(ReadObjectText(*storage_, "t/x"), "second");
  EXPECT_EQ(storage_->Head("t/x")->size, 6u);
}

TEST_P(StorageConformance, LeavesTheOldObjectUntilTheNewOneIsFinished) {
  WriteObject(*storage_, "t/x", "old");
  const auto sink = storage_->Put("t/x");
  sink->Write(AsBytes(SomeBytes(2 * kPart)));
  EXPECT_EQ(ReadObjectText(*storage_, "t/x"), "old");
  sink->Abort();
  EXPECT_EQ(ReadObjectText(*storage_, "t/x"), "old");
}

TEST_P(StorageConformance, DoesNotOverwriteIfAbsentIsAsked) {
  PutOptions options;
  options.if_absent = true;
  options.content_type = "application/json";
  WriteObject(*storage_, "t/manifest.json", "first", options);
  const Error error =
      ErrorOf([&] { WriteObject(*storage_, "t/manifest.json", "second", options); });
  EXPECT_EQ(error.kind(), ErrorKind::kAlreadyExists);
  EXPECT_NE(error.message().find(storage_->url() + "/t/manifest.json"), std::string::npos);
  EXPECT_EQ(ReadObjectText(*storage_, "t/manifest.json"), "first");
}

TEST_P(StorageConformance, DoesNotOverwriteALongObjectIfAbsentIsAsked) {
  PutOptions options;
  options.if_absent = true;
  const std::string content = SomeBytes(kPart + 5);
  WriteObject(*storage_, "t/long", content, options);
  EXPECT_EQ(ErrorOf([&] { WriteObject(*storage_, "t/long", content + "x", options); }).kind(),
            ErrorKind::kAlreadyExists);
  EXPECT_TRUE(SameBytes(ReadObjectText(*storage_, "t/long"), content));
  storage_->Delete("t/long");
  ExpectNothingLeft();
}

TEST_P(StorageConformance, AbortLeavesNothing) {
  for (const size_t size : {size_t{0}, size_t{10}, kPart, 3 * kPart + 1}) {
    const auto sink = storage_->Put("t/folder/x");
    sink->Write(AsBytes(SomeBytes(size)));
    sink->Abort();
    sink->Abort();
    EXPECT_FALSE(storage_->Head("t/folder/x")) << size;
  }
  ExpectNothingLeft();
}

TEST_P(StorageConformance, ASinkDestroyedWithoutFinishLeavesNothing) {
  storage_->Put("t/x")->Write(AsBytes(SomeBytes(3 * kPart + 1)));
  EXPECT_FALSE(storage_->Head("t/x"));
  ExpectNothingLeft();
}

TEST_P(StorageConformance, AbortAfterACancelLeavesNothing) {
  const auto sink = storage_->Put("t/x");
  sink->Write(AsBytes(SomeBytes(3 * kPart + 1)));
  cancellation_.Cancel();
  EXPECT_EQ(ErrorOf([&] { sink->Write(AsBytes("x")); }).kind(), ErrorKind::kCancelled);
  EXPECT_EQ(ErrorOf([&] { storage_->Head("t/x"); }).kind(), ErrorKind::kCancelled);
  sink->Abort();
  ExpectNothingLeft();
}

TEST_P(StorageConformance, AbortAfterFinishDoesNothing) {
  const auto sink = storage_->Put("t/x");
  sink->Write(AsBytes("kept"));
  sink->Finish();
  sink->Abort();
  EXPECT_EQ(ReadObjectText(*storage_, "t/x"), "kept");
}

TEST_P(StorageConformance, ReadsRanges) {
  const std::string content = SomeBytes(kPart + 1000);
  WriteObject(*storage_, "t/x", content);
  const auto expect = [&](uint64_t offset, uint64_t length) {
    EXPECT_TRUE(
        SameBytes(ReadObjectText(*storage_, "t/x", offset, length), content.substr(offset, length)))
        << offset << " " << length;
  };
  expect(0, 1);
  expect(0, 0);
  expect(1, 2);
  expect(kPart - 1, 2);
  expect(kPart, 1'000'000);
  expect(17, Storage::kToTheEnd);
  expect(content.size() - 1, 1);
  expect(content.size(), 1);
  expect(content.size(), Storage::kToTheEnd);
  expect(content.size(), 0);
  for (const uint64_t length : {uint64_t{0}, uint64_t{1}, Storage::kToTheEnd})
    EXPECT_EQ(ErrorOf([&] { ReadObjectText(*storage_, "t/x", content.size() + 1, length); }).kind(),
              ErrorKind::kInvalid);
}

TEST_P(StorageConformance, PassesOnWhatTheReaderThrows) {
  class FullSink final : public Sink {
   public:
    void Write(std::span<const std::byte>) override { throw std::runtime_error("full"); }
    void Finish() override {}
    void Abort() noexcept override {}
  };
  WriteObject(*storage_, "t/x", SomeBytes(1'000'000));
  FullSink sink;
  EXPECT_THROW(storage_->Get("t/x", sink), std::runtime_error);
  EXPECT_EQ(ReadObjectText(*storage_, "t/x", 0, 3), SomeBytes(8).substr(0, 3));
}

TEST_P(StorageConformance, SaysWhenAnObjectIsMissing) {
  EXPECT_FALSE(storage_->Head("t/missing"));
  EXPECT_FALSE(storage_->Head("t"));
  for (const uint64_t length : {uint64_t{0}, uint64_t{1}, Storage::kToTheEnd}) {
    const Error error = ErrorOf([&] { ReadObjectText(*storage_, "t/missing", 0, length); });
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_NE(error.message().find(storage_->url() + "/t/missing"), std::string::npos);
  }
  WriteObject(*storage_, "t/folder/x", "x");
  EXPECT_FALSE(storage_->Head("t/folder"));
  EXPECT_FALSE(storage_->Head("t/folder/x/y"));
  EXPECT_EQ(ErrorOf([&] { ReadObjectText(*storage_, "t/folder"); }).kind(), ErrorKind::kNotFound);
}

TEST_P(StorageConformance, ListsByPrefixInByteOrder) {
  const std::vector<std::string> names = {"t/a",      "t/a b", "t/a-b", "t/a.b", "t/a0/x",
                                          "t/ab/c/d", "t/b/1", "t/b/2", "t/b2"};
  for (size_t i = names.size(); i-- > 0;) WriteObject(*storage_, names[i], names[i]);
  WriteObject(*storage_, "t2", "neighbour");
  EXPECT_EQ(ListNames(*storage_, "t/"), names);
  EXPECT_EQ(ListNames(*storage_, "t/b"), (std::vector<std::string>{"t/b/1", "t/b/2", "t/b2"}));
  EXPECT_EQ(ListNames(*storage_, "t/b/"), (std::vector<std::string>{"t/b/1", "t/b/2"}));
  EXPECT_EQ(ListNames(*storage_, "t/c"), std::vector<std::string>());
  EXPECT_EQ(ListNames(*storage_, "t/a/"), std::vector<std::string>());
  std::vector<std::string> all = names;
  all.push_back("t2");
  EXPECT_EQ(ListNames(*storage_, ""), all);
  storage_->List("t/b", [](const ObjectInfo& object) {
    EXPECT_EQ(object.size, object.name.size()) << object.name;
  });
  storage_->Delete("t2");
}

TEST_P(StorageConformance, ListsMoreThanOnePage) {
  constexpr int kCount = 110;
  if (GetParam().server) storage_ = OpenWithPagesOf(50);
  std::vector<std::thread> writers;
  for (int thread = 0; thread < 4; ++thread)
    writers.emplace_back([&, thread] {
      for (int i = thread; i < kCount; i += 4)
        WriteObject(*storage_, "t/many/" + std::to_string(100'000 + i), "x");
    });
  for (std::thread& writer : writers) writer.join();
  const std::vector<std::string> names = ListNames(*storage_, "t/many/");
  ASSERT_EQ(names.size(), size_t{kCount});
  for (int i = 0; i < kCount; ++i)
    ASSERT_EQ(names[static_cast<size_t>(i)], "t/many/" + std::to_string(100'000 + i));
  EXPECT_EQ(RemoveEverything(*storage_, "t/").objects, uint64_t{kCount});
}

TEST_P(StorageConformance, DeletesAsOftenAsAsked) {
  WriteObject(*storage_, "t/x", "x");
  storage_->Delete("t/x");
  storage_->Delete("t/x");
  storage_->Delete("t/never/was");
  EXPECT_FALSE(storage_->Head("t/x"));
}

TEST_P(StorageConformance, TellsWhenAnObjectWasWritten) {
  constexpr std::chrono::seconds kSlack{3};  // whole seconds, on both sides
  storage_->List("t/", [](const ObjectInfo&) {});
  const WallTime before = storage_->Now() - kSlack;
  WriteObject(*storage_, "t/small", "x");
  WriteObject(*storage_, "t/long", SomeBytes(kPart + 1));
  const WallTime after = storage_->Now() + kSlack;
  int count = 0;
  const auto expect_now = [&](const ObjectInfo& object) {
    ++count;
    ASSERT_TRUE(object.modified) << object.name;
    EXPECT_GE(*object.modified, before) << object.name;
    EXPECT_LE(*object.modified, after) << object.name;
  };
  storage_->List("t/", expect_now);
  expect_now(*storage_->Head("t/small"));
  expect_now(*storage_->Head("t/long"));
  EXPECT_EQ(count, 4);
}

TEST_P(StorageConformance, ListsUnfinishedUploadsWithTheirAge) {
  constexpr std::chrono::seconds kSlack{3};
  const WallTime before = storage_->Now() - kSlack;
  const auto first = storage_->Put("t/run/data-000");
  first->Write(AsBytes(SomeBytes(2 * kPart)));
  const auto second = storage_->Put("t/run2/a b+ü");
  second->Write(AsBytes(SomeBytes(2 * kPart)));
  WriteObject(*storage_, "t/run/data-001", "finished");

  const auto list = [&](const std::string& prefix) {
    std::vector<UnfinishedUpload> found;
    storage_->ListUnfinished(prefix, [&](const auto& upload) { found.push_back(upload); });
    return found;
  };
  const std::vector<UnfinishedUpload> found = list("t/run/");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name.substr(0, 6), "t/run/");
  ASSERT_TRUE(found[0].touched);
  EXPECT_GE(*found[0].touched, before);
  EXPECT_LE(*found[0].touched, storage_->Now() + kSlack);
  EXPECT_EQ(list("t/").size(), 2u);
  EXPECT_EQ(list("t/r").size(), 2u);
  EXPECT_EQ(list("t/none/").size(), 0u);

  storage_->AbortUnfinished(found[0]);
  storage_->AbortUnfinished(found[0]);
  EXPECT_EQ(list("t/").size(), 1u);
  EXPECT_ANY_THROW(first->Finish());
  EXPECT_EQ(ReadObjectText(*storage_, "t/run/data-001"), "finished");
  second->Finish();
  EXPECT_EQ(list("t/").size(), 0u);
  EXPECT_EQ(storage_->Head("t/run2/a b+ü")->size, 2 * kPart);
}

TEST_P(StorageConformance, AProbeIsContentAndLeavesNothing) {
  ProbeReport report;
  EXPECT_FALSE(storage_->Probe({"t/probe", *environment_}, report));
  const bool is_file = !GetParam().server;
  EXPECT_EQ(report.rows().size(), is_file ? 11u : 15u);
  for (const ProbeRow& row : report.rows()) {
    // Some servers do not do conditional writes, and say so.
    const bool may_warn = row.item == "conditional put";
    EXPECT_TRUE(row.status == ProbeStatus::kOk || (may_warn && row.status == ProbeStatus::kWarning))
        << row.item << " " << ProbeStatusName(row.status) << ": " << row.detail;
    EXPECT_EQ(row.hint.empty(), row.status == ProbeStatus::kOk) << row.item;
  }
  ExpectNothingLeft();
}

TEST_P(StorageConformance, ASweepRemovesWhatABackupConsistsOfAndNothingElse) {
  for (const char* leaf : {"manifest.json", "claim.json", "data-000.dump.zst", "notes.txt"})
    WriteObject(*storage_, std::string("t/run/") + leaf, "{}");
  WriteObject(*storage_, "t/run/below/data-000.dump.zst", "of another backup");
  WriteObject(*storage_, "t/run2/x", "neighbour");
  WriteObject(*storage_, "t/run-2", "neighbour");
  const auto unfinished = storage_->Put("t/run/data-001.dump.zst");
  unfinished->Write(AsBytes(SomeBytes(2 * kPart)));
  const auto neighbour = storage_->Put("t/run2/data-001");
  neighbour->Write(AsBytes(SomeBytes(2 * kPart)));
  const SweepReport report = SweepFolder(*storage_, "t/run");
  EXPECT_EQ(report.objects, 3u);
  EXPECT_EQ(report.unfinished_uploads, 1u);
  EXPECT_EQ(ListNames(*storage_, "t/"),
            (std::vector<std::string>{"t/run-2", "t/run/below/data-000.dump.zst", "t/run/notes.txt",
                                      "t/run2/x"}));
  EXPECT_ANY_THROW(unfinished->Finish());
  neighbour->Finish();
  EXPECT_EQ(storage_->Head("t/run2/data-001")->size, 2 * kPart);
  const SweepReport again = SweepFolder(*storage_, "t/run");
  EXPECT_EQ(again.objects + again.unfinished_uploads, 0u);
}

TEST_P(StorageConformance, ASweepOfAMissingFolderIsNoError) {
  const SweepReport report = SweepFolder(*storage_, "t/never/was");
  EXPECT_EQ(report.objects, 0u);
  EXPECT_EQ(report.unfinished_uploads, 0u);
}

Claim ClaimOf(char digit) {
  Claim claim;
  claim.run_key = std::string(32, digit);
  claim.id = 7;
  claim.database = "shop";
  return claim;
}

TEST_P(StorageConformance, AFolderHasOneOwner) {
  EXPECT_NE(ClaimFolder(*storage_, "t/run", ClaimOf('a')), ClaimOutcome::kWasOurs);
  const Error error = ErrorOf([&] { ClaimFolder(*storage_, "t/run", ClaimOf('b')); });
  EXPECT_EQ(error.kind(), ErrorKind::kAlreadyExists);
  EXPECT_NE(error.detail().find("Backup 7 of database \"shop\""), std::string::npos);
  CheckClaim(*storage_, "t/run", std::string(32, 'a'));
  EXPECT_NE(ClaimFolder(*storage_, "t/run", ClaimOf('a')), ClaimOutcome::kNew);
  EXPECT_EQ(ListNames(*storage_, "t/"), (std::vector<std::string>{"t/run/claim.json"}));
}

TEST_P(StorageConformance, OfManyThatClaimAFolderAtOnceOneGetsIt) {
  constexpr int kRuns = 8;
  std::atomic<int> owners{0};
  std::vector<std::thread> runs;
  for (int i = 0; i < kRuns; ++i)
    runs.emplace_back([&, i] {
      try {
        if (ClaimFolder(*storage_, "t/run", ClaimOf(static_cast<char>('0' + i))) ==
            ClaimOutcome::kNew)
          ++owners;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kAlreadyExists) << error.message();
      }
    });
  for (std::thread& run : runs) run.join();
  if (storage_->CreatesAtomically()) {
    EXPECT_EQ(owners, 1);
  }
  // Whatever they believe, no two can store their manifests.
  int good = 0;
  for (int i = 0; i < kRuns; ++i) {
    try {
      CheckBeforeManifest(*storage_, "t/run", ClaimOf(static_cast<char>('0' + i)).run_key, {});
      ++good;
    } catch (const Error&) {
    }
  }
  EXPECT_LE(good, 1);
  if (storage_->CreatesAtomically()) {
    EXPECT_EQ(good, 1);
  }
}

TEST_P(StorageConformance, FoldersDoNotNest) {
  ClaimFolder(*storage_, "t/day/morning", ClaimOf('a'));
  for (const char* folder : {"t/day", "t", "t/day/morning/early", "t/day/morning/early/bird"}) {
    const Error error = ErrorOf([&] { ClaimFolder(*storage_, folder, ClaimOf('b')); });
    EXPECT_EQ(error.kind(), ErrorKind::kAlreadyExists) << folder;
    EXPECT_NE(error.detail().find("t/day/morning"), std::string::npos) << error.detail();
  }
  ClaimFolder(*storage_, "t/day/morning2", ClaimOf('c'));
  EXPECT_EQ(ListNames(*storage_, "t/"),
            (std::vector<std::string>{"t/day/morning/claim.json", "t/day/morning2/claim.json"}));
}

TEST_P(StorageConformance, AFolderWithABackupOrObjectsOfOneCannotBeClaimed) {
  WriteObject(*storage_, "t/old/manifest.json", "{}");
  WriteObject(*storage_, "t/half/data-000.dump.zst", "x");
  WriteObject(*storage_, "t/notes/readme.txt", "x");
  for (const char* folder : {"t/old", "t/half"})
    EXPECT_EQ(ErrorOf([&] { ClaimFolder(*storage_, folder, ClaimOf('a')); }).kind(),
              ErrorKind::kAlreadyExists)
        << folder;
  ClaimFolder(*storage_, "t/notes", ClaimOf('a'));
  EXPECT_EQ(ListNames(*storage_, "t/"),
            (std::vector<std::string>{"t/half/data-000.dump.zst", "t/notes/claim.json",
                                      "t/notes/readme.txt", "t/old/manifest.json"}));
}

TEST_P(StorageConformance, AManifestIsStoredWhenEverythingIsThere) {
  const std::string key(32, 'a');
  ClaimFolder(*storage_, "t/run", ClaimOf('a'));
  WriteObject(*storage_, "t/run/data-000.dump.zst", "12345");
  CheckBeforeManifest(*storage_, "t/run", key, {{"t/run/data-000.dump.zst", 5}});
  for (const ObjectSizes& stored :
       {ObjectSizes{{"t/run/data-000.dump.zst", 6}}, ObjectSizes{{"t/run/data-001.dump.zst", 5}}})
    EXPECT_EQ(ErrorOf([&] { CheckBeforeManifest(*storage_, "t/run", key, stored); }).kind(),
              ErrorKind::kUnavailable);
  WriteObject(*storage_, "t/run/claim.json", R"({"run_key":"other","instance":{}})");
  EXPECT_EQ(ErrorOf([&] { CheckBeforeManifest(*storage_, "t/run", key, {}); }).kind(),
            ErrorKind::kAlreadyExists);
}

TEST_P(StorageConformance, ManyWritersAtOnceAllMakeProgress) {
  constexpr int kWriters = 5;
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i)
    writers.emplace_back([&, i] {
      WriteObject(*storage_, "t/writer-" + std::to_string(i),
                  SomeBytes(3 * kPart + static_cast<size_t>(i), static_cast<uint32_t>(i + 1)));
    });
  for (std::thread& writer : writers) writer.join();
  for (int i = 0; i < kWriters; ++i)
    EXPECT_TRUE(
        SameBytes(ReadObjectText(*storage_, "t/writer-" + std::to_string(i)),
                  SomeBytes(3 * kPart + static_cast<size_t>(i), static_cast<uint32_t>(i + 1))));
}

TEST_P(StorageConformance, OneThreadFillsSeveralWritersInTurn) {
  std::vector<std::unique_ptr<Sink>> sinks;
  for (int i = 0; i < 5; ++i) sinks.push_back(storage_->Put("t/turn-" + std::to_string(i)));
  const std::string piece = SomeBytes(1'000'000);
  for (int round = 0; round < 12; ++round)
    for (auto& sink : sinks) sink->Write(AsBytes(piece));
  for (auto& sink : sinks) sink->Finish();
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(storage_->Head("t/turn-" + std::to_string(i))->size, 12 * piece.size());
}

TEST_P(StorageConformance, RefusesAnObjectThatIsTooLong) {
  if (storage_->MaxObjectSize() > (1ull << 40)) GTEST_SKIP() << "no limit worth a test";
  EXPECT_EQ(storage_->MaxObjectSize(), 900 * kPart);
}

INSTANTIATE_TEST_SUITE_P(, StorageConformance,
                         ::testing::Values(Backend{}, Backend{S3Slot::kMain, Access::kPlain},
                                           Backend{S3Slot::kMain, Access::kTls},
                                           Backend{S3Slot::kMain, Access::kVirtualHosted},
                                           Backend{S3Slot::kSwift, Access::kPlain},
                                           Backend{S3Slot::kSwift, Access::kTls},
                                           Backend{S3Slot::kSwift, Access::kVirtualHosted}),
                         BackendName);

}  // namespace
}  // namespace pgbackup
