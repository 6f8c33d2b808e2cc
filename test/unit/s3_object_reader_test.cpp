// Big objects are read in ranges, several at once.
#include "core/s3/object_reader.h"

#include <gtest/gtest.h>

#include <thread>

#include "s3_gate.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

constexpr size_t kRange = 10'000;

class ObjectReaderTest : public ::testing::Test {
 protected:
  ObjectReaderTest() {
    settings_.endpoint = "http://store:9000";
    limits_.range_size = kRange;
  }

  std::unique_ptr<S3Storage> OpenWith(std::unique_ptr<Transport> transport) {
    return std::make_unique<S3Storage>(S3Location{"bucket", ""}, settings_, limits_,
                                       std::move(transport), environment_, cancellation_);
  }
  S3Storage& storage() {
    if (!storage_) storage_ = OpenWith(std::make_unique<FakeTransport>(store_));
    return *storage_;
  }
  std::string MakeObject(size_t size) {
    store_.objects["x"] = {SomeBytes(size), "", 7};
    return store_.objects["x"].content;
  }
  // The ranges asked for, sorted, as they may come in any order.
  std::vector<std::string> Ranges() const {
    std::vector<std::string> ranges;
    for (const SeenRequest& request : store_.seen) ranges.push_back(request.Header("range"));
    std::sort(ranges.begin(), ranges.end());
    return ranges;
  }

  FakeEnvironment environment_;
  Cancellation cancellation_;
  S3Settings settings_;
  S3Limits limits_;
  FakeStore store_;
  std::unique_ptr<S3Storage> storage_;
};

bool BeginsAt(const SeenRequest& request, size_t byte) {
  return request.Header("range").rfind("bytes=" + std::to_string(byte) + "-", 0) == 0;
}

TEST_F(ObjectReaderTest, GivesBackObjectsAndRangesOfEverySize) {
  for (const uint64_t concurrency : {1, 2, 4, 16}) {
    settings_.concurrency = concurrency;
    storage_.reset();
    for (const size_t size : {size_t{0}, size_t{1}, kRange - 1, kRange, kRange + 1, 2 * kRange,
                              7 * kRange, 20 * kRange + 17}) {
      const std::string content = MakeObject(size);
      EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "x"), content)) << size;
      if (size < 100) continue;
      for (const auto& [offset, length] : std::vector<std::pair<size_t, uint64_t>>{
               {1, kRange}, {1, kRange + 1}, {5, 3 * kRange}, {size - 1, 9}, {0, size - 1}})
        EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "x", offset, length),
                              content.substr(offset, length)))
            << size << " " << offset << " " << length;
    }
  }
}

TEST_F(ObjectReaderTest, WhatFitsIntoOneRangeIsOneRequest) {
  MakeObject(kRange);
  ReadObjectText(storage(), "x");
  ReadObjectText(storage(), "x", 17, 100);
  EXPECT_EQ(Ranges(), (std::vector<std::string>{"bytes=0-9999", "bytes=17-116"}));
}

TEST_F(ObjectReaderTest, EveryFurtherRangeIsOfTheVersionOfTheFirst) {
  MakeObject(5 * kRange + 1);
  ReadObjectText(storage(), "x");
  ASSERT_EQ(store_.seen.size(), 6u);
  for (const SeenRequest& request : store_.seen)
    EXPECT_EQ(request.Header("if-match"), BeginsAt(request, 0) ? "" : "\"7\"");
  EXPECT_EQ(Ranges().back(), "bytes=50000-50000");
}

TEST_F(ObjectReaderTest, AsManyRangesAreOnTheirWayAsTheSettingSays) {
  const std::string content = MakeObject(30 * kRange);
  for (const int concurrency : {1, 4}) {
    settings_.concurrency = static_cast<uint64_t>(concurrency);
    Gate gate(concurrency);
    const auto storage = OpenWith(std::make_unique<GatedTransport>(
        store_, gate, [](const SeenRequest& request) { return !BeginsAt(request, 0); }));
    EXPECT_TRUE(SameBytes(ReadObjectText(*storage, "x"), content));
    EXPECT_EQ(gate.most(), concurrency);
  }
}

TEST_F(ObjectReaderTest, BytesAreDeliveredInOrderWhateverComesFirst) {
  // The second range comes when the third and the fourth are there.
  class Unordered final : public Transport {
   public:
    explicit Unordered(FakeStore& store) : next_(store) {}
    HttpResponse Perform(const HttpRequest& request) override {
      const SeenRequest seen = TakeApart(request);
      if (BeginsAt(seen, kRange)) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(
            changed_.wait_for(lock, std::chrono::seconds(10), [this] { return here_ >= 2; }));
      }
      HttpResponse response = next_.Perform(request);
      if (BeginsAt(seen, 2 * kRange) || BeginsAt(seen, 3 * kRange)) {
        const std::lock_guard lock(mutex_);
        ++here_;
        changed_.notify_all();
      }
      return response;
    }

   private:
    FakeTransport next_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int here_ = 0;
  };
  const std::string content = MakeObject(8 * kRange);
  const auto storage = OpenWith(std::make_unique<Unordered>(store_));
  EXPECT_TRUE(SameBytes(ReadObjectText(*storage, "x"), content));
}

TEST_F(ObjectReaderTest, ARangeGoesOnAtTheByteWhereItsConnectionBroke) {
  const std::string content = MakeObject(6 * kRange);
  store_.cut_bodies_at = 4'000;
  store_.cuts = [](const SeenRequest& request) { return BeginsAt(request, 2 * kRange); };
  EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "x"), content));
  ASSERT_EQ(store_.seen.size(), 7u);
  const auto resumed =
      std::find_if(store_.seen.begin(), store_.seen.end(),
                   [](const SeenRequest& request) { return BeginsAt(request, 24'000); });
  ASSERT_NE(resumed, store_.seen.end());
  EXPECT_EQ(resumed->Header("range"), "bytes=24000-29999");
  EXPECT_EQ(resumed->Header("if-match"), "\"7\"");
}

TEST_F(ObjectReaderTest, EveryRangeMayBreakManyTimes) {
  const std::string content = MakeObject(6 * kRange + 1);
  store_.cut_bodies_at = 3'000;
  EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "x"), content));
  EXPECT_EQ(store_.seen.size(), 6u * 4 + 1);
}

TEST_F(ObjectReaderTest, AnObjectThatIsOverwrittenMeanwhileIsNoticed) {
  const std::string content = MakeObject(8 * kRange);
  store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (BeginsAt(request, 2 * kRange)) store_.objects["x"] = {SomeBytes(8 * kRange, 2), "", 8};
    return std::nullopt;
  };
  MemorySink sink;
  const Error error = ErrorOf([&] { storage().Get("x", sink, 0, Storage::kToTheEnd); });
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(error.message(), "could not read s3://bucket/x: it was overwritten meanwhile");
  EXPECT_TRUE(SameBytes(sink.text, content.substr(0, sink.text.size())));
}

// As behind a proxy that compresses.
TEST_F(ObjectReaderTest, AWeakETagIsComparedButNotAskedFor) {
  const std::string content = MakeObject(5 * kRange);
  std::string etag = "W/\"7\"";
  store_.before = [&](const SeenRequest& request) {
    EXPECT_EQ(request.Header("if-match"), "");
    const size_t from = std::stoul(request.Header("range").substr(6));
    return Answer(206, content.substr(from, kRange),
                  {{"etag", from == 3 * kRange ? etag : "W/\"7\""},
                   {"content-range", "bytes " + std::to_string(from) + "-" +
                                         std::to_string(from + kRange - 1) + "/50000"}});
  };
  EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "x"), content));
  etag = "W/\"8\"";
  EXPECT_EQ(ErrorOf([&] { ReadObjectText(storage(), "x"); }).kind(), ErrorKind::kCorrupt);
}

TEST_F(ObjectReaderTest, AShorterObjectInItsPlaceIsNoticedToo) {
  MakeObject(8 * kRange);
  store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (BeginsAt(request, 0)) return std::nullopt;
    return ErrorAnswer(416, "InvalidRange");  // by a store that knows no If-Match
  };
  EXPECT_EQ(ErrorOf([&] { ReadObjectText(storage(), "x"); }).kind(), ErrorKind::kCorrupt);
}

TEST_F(ObjectReaderTest, WhatIsMissingOfAShortRangeIsAskedForAnew) {
  const std::string content = MakeObject(5 * kRange);
  store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (request.Header("range") != "bytes=20000-29999") return std::nullopt;
    return Answer(206, content.substr(20'000, 1'234),
                  {{"etag", "\"7\""}, {"content-range", "bytes 20000-21233/50000"}});
  };
  EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "x"), content));
  EXPECT_EQ(Ranges().at(3), "bytes=21234-29999");
}

TEST_F(ObjectReaderTest, ARangeThatStaysEmptyEndsTheRead) {
  MakeObject(5 * kRange);
  store_.before = [&](const SeenRequest& request) -> std::optional<HttpResponse> {
    if (!BeginsAt(request, 2 * kRange)) return std::nullopt;
    return Answer(206, {}, {{"etag", "\"7\""}, {"content-range", "bytes 20000-29999/50000"}});
  };
  EXPECT_EQ(ErrorOf([&] { ReadObjectText(storage(), "x"); }).message(),
            "could not read s3://bucket/x: the store sent an empty range");
}

TEST_F(ObjectReaderTest, AStoreThatIgnoresRangesSendsAllInOne) {
  const std::string content = MakeObject(5 * kRange);
  store_.before = [&](const SeenRequest&) { return Answer(200, content, {{"etag", "\"7\""}}); };
  EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "x"), content));
  EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "x", 0, 3 * kRange + 5),
                        content.substr(0, 3 * kRange + 5)));
  EXPECT_EQ(store_.seen.size(), 2u);
}

TEST_F(ObjectReaderTest, GarbageInContentRangeIsNotBelieved) {
  MakeObject(5 * kRange);
  for (const char* range : {"", "bytes */50000", "bytes 0-9999/*", "bytes 0-9999/", "bytes 0/9",
                            "items 0-9999/50000", "bytes 0-9999/50000x", "bytes 1-9999/50000"}) {
    store_.before = [&](const SeenRequest&) {
      return Answer(206, "x", {{"etag", "\"7\""}, {"content-range", range}});
    };
    EXPECT_EQ(ErrorOf([&] { ReadObjectText(storage(), "x"); }).kind(), ErrorKind::kUnavailable)
        << range;
  }
}

TEST_F(ObjectReaderTest, WhatTheSinkThrowsEndsAllRanges) {
  class FullSink final : public Sink {
   public:
    void Write(std::span<const std::byte> data) override {
      size_ += data.size();
      if (size_ > 3 * kRange) throw std::runtime_error("full");
    }
    void Finish() override {}
    void Abort() noexcept override {}

   private:
    size_t size_ = 0;
  };
  const std::string content = MakeObject(30 * kRange);
  FullSink sink;
  EXPECT_THROW(storage().Get("x", sink, 0, Storage::kToTheEnd), std::runtime_error);
  EXPECT_LE(store_.seen.size(), 3u + 4u + 1u);
  // The buffers have come back.
  EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "x"), content));
}

TEST_F(ObjectReaderTest, ManyReadersShareTheBuffersAndAllGoOn) {
  settings_.concurrency = 2;
  const std::string content = MakeObject(25 * kRange + 3);
  storage();
  std::vector<std::thread> readers;
  for (int i = 0; i < 6; ++i)
    readers.emplace_back([&] { EXPECT_TRUE(SameBytes(ReadObjectText(storage(), "x"), content)); });
  for (std::thread& reader : readers) reader.join();
}

TEST(RangeBuffers, ThereAreAsManyAsRangesMayBeOnTheirWay) {
  RangeBuffers buffers(kRange, 2);
  EXPECT_TRUE(buffers.TryTake());
  EXPECT_TRUE(buffers.TryTake());
  EXPECT_FALSE(buffers.TryTake());
  buffers.GiveBack();
  EXPECT_TRUE(buffers.TryTake());
}

}  // namespace
}  // namespace pgbackup
