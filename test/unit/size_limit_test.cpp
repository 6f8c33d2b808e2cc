#include "core/storage/size_limit.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/storage/file_storage.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

class SizeLimitTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::unique_ptr<Environment> environment_ = SystemEnvironment();
  Cancellation cancellation_;
  FileStorage storage_{directory_.path(), *environment_, cancellation_};
};

TEST_F(SizeLimitTest, TakesAsMuchAsItsLimitAndNotAByteMore) {
  SizeLimit limited(storage_, 10);
  WriteObject(limited, "a", "0123456789");
  EXPECT_EQ(ReadObjectText(storage_, "a"), "0123456789");
  const auto sink = limited.Put("b", {});
  const Error error = ErrorOf([&] { sink->Write(AsBytes(std::string_view("x"))); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_EQ(error.message(),
            "the backup is larger than pgbackup.max_size (10 bytes) and was stopped");
  EXPECT_NE(error.hint().find("pgbackup.max_size"), std::string::npos);
  sink->Abort();
  EXPECT_EQ(ListNames(storage_, ""), std::vector<std::string>{"a"});
}

TEST_F(SizeLimitTest, PassesNothingOnOfWhatIsTooMuch) {
  SizeLimit limited(storage_, 4);
  const auto sink = limited.Put("a", {});
  sink->Write(AsBytes(std::string_view("0123")));
  EXPECT_THROW(sink->Write(AsBytes(std::string_view("4"))), Error);
  sink->Finish();  // nobody does; it shows what has come through
  EXPECT_EQ(ReadObjectText(storage_, "a"), "0123");
}

TEST_F(SizeLimitTest, CountsAllObjectsTogetherWhoeverWritesThem) {
  SizeLimit limited(storage_, 4000);
  std::atomic<int> refused{0};
  std::vector<std::thread> lanes;
  for (int lane = 0; lane < 5; ++lane)
    lanes.emplace_back([&, lane] {
      const auto sink = limited.Put(std::to_string(lane), {});
      for (int i = 0; i < 1000; ++i) try {
          sink->Write(AsBytes(std::string_view("x")));
        } catch (const Error&) {
          ++refused;
        }
      sink->Finish();
    });
  for (std::thread& lane : lanes) lane.join();
  EXPECT_EQ(refused, 1000);
  size_t stored = 0;
  for (const std::string& name : ListNames(storage_, ""))
    stored += ReadObjectText(storage_, name).size();
  EXPECT_EQ(stored, 4000u);
}

TEST_F(SizeLimitTest, OfZeroIsNone) {
  SizeLimit limited(storage_, 0);
  WriteObject(limited, "a", SomeBytes(100'000));
  EXPECT_EQ(storage_.Head("a")->size, 100'000u);
}

TEST_F(SizeLimitTest, LeavesEverythingElseAlone) {
  SizeLimit limited(storage_, 1);
  storage_.Put("a", {})->Finish();
  EXPECT_TRUE(limited.Head("a"));
  limited.Delete("a");
  EXPECT_FALSE(storage_.Head("a"));
  EXPECT_EQ(limited.url(), storage_.url());
}

}  // namespace
}  // namespace pgbackup
