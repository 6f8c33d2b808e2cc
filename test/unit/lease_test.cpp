#include "core/ownership/lease.h"

#include "core/storage/forwarding_storage.h"
#include "pipeline_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const char* const kMarker = "pgbackup-instances/token.json";

class ClockedStorage final : public ForwardingStorage {
 public:
  using ForwardingStorage::ForwardingStorage;
  WallTime Now() const override { return now; }
  WallTime now{hours(500'000)};
};

class LeaseTest : public ::testing::Test {
 protected:
  static Instance At(const char* place, int64_t timeline = 1) {
    return {"7001", "token", place, timeline};
  }
  std::string Holder() { return ReadLease(storage_, "token")->holder.place; }
  std::optional<Error> WhyNot(const Instance& me) {
    try {
      RequireLease(storage_, {"7001", "token", "", 0}, me);
      return std::nullopt;
    } catch (const Error& error) {
      return error;
    }
  }

  MemoryStorage memory_;
  ClockedStorage storage_{memory_};
};

TEST_F(LeaseTest, TheFirstServerGetsIt) {
  const Lease lease = RenewLease(storage_, At("here"), "main");
  EXPECT_EQ(lease.holder, At("here"));
  EXPECT_EQ(Holder(), "here");
  EXPECT_EQ(WhyNot(At("here")), std::nullopt);
  EXPECT_TRUE(LeaseToJson(lease, At("here")).at("held").as_bool());
}

TEST_F(LeaseTest, ACopyDoesNotHoweverLongItWaits) {
  RenewLease(storage_, At("here"), "main");
  for (int day = 0; day < 5; ++day) {
    storage_.now += hours(24);
    const Lease lease = RenewLease(storage_, At("clone"), "main");
    EXPECT_EQ(lease.holder.place, "here");
    EXPECT_FALSE(LeaseToJson(lease, At("clone")).at("held").as_bool());
  }
  const auto error = WhyNot(At("clone"));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kDenied);
  EXPECT_NE(error->detail().find(InstanceName(At("here"))), std::string::npos) << error->detail();
  EXPECT_NE(error->hint().find("take_over_storage"), std::string::npos);
}

TEST_F(LeaseTest, ACopyIsNotTheFirstToGetIt) {
  Instance clone = At("clone");
  clone.is_copy = true;
  const Lease lease = RenewLease(storage_, clone, "main");
  EXPECT_TRUE(memory_.objects.empty());
  EXPECT_EQ(LeaseToJson(lease, clone), (boost::json::object{{"held", false}}));
  RenewLease(storage_, At("here"), "main");
  EXPECT_EQ(RenewLease(storage_, clone, "main").holder.place, "here");
  EXPECT_TRUE(WhyNot(clone));
  TakeOverLease(storage_, "token", clone, "main");
  EXPECT_EQ(WhyNot(clone), std::nullopt);
}

TEST_F(LeaseTest, APromotedServerTakesOverOnceTheOtherHasBeenSilent) {
  RenewLease(storage_, At("old"), "main");
  storage_.now += hours(23);
  EXPECT_EQ(RenewLease(storage_, At("new", 2), "main").holder.place, "old");
  RenewLease(storage_, At("old"), "main");
  storage_.now += hours(23);
  EXPECT_EQ(RenewLease(storage_, At("new", 2), "main").holder.place, "old") << "it is heard of";
  storage_.now += hours(2);
  const Lease lease = RenewLease(storage_, At("new", 2), "main");
  EXPECT_EQ(lease.holder, At("new", 2));
  EXPECT_EQ(lease.earlier_places, std::vector<std::string>{"old"});
  storage_.now += hours(100);
  EXPECT_EQ(RenewLease(storage_, At("old"), "main").holder.place, "new") << "no way back";
  EXPECT_TRUE(WhyNot(At("old")));
}

TEST_F(LeaseTest, ItIsTakenOverByHand) {
  EXPECT_EQ(TakeOverLease(storage_, "token", At("here"), "main"), std::nullopt);
  const auto before = TakeOverLease(storage_, "token", At("clone"), "copy");
  ASSERT_TRUE(before);
  EXPECT_EQ(before->holder.place, "here");
  EXPECT_EQ(ReadLease(storage_, "token")->cluster, "copy");
  EXPECT_EQ(WhyNot(At("clone")), std::nullopt);
  EXPECT_TRUE(WhyNot(At("here")));
}

TEST_F(LeaseTest, TheLeaseOfAnotherCatalogIsTakenOverByItsToken) {
  RenewLease(storage_, At("here"), "main");
  const Instance other{"7002", "fresh", "there", 1};
  EXPECT_EQ(WhyNot(other)->kind(), ErrorKind::kDenied);
  TakeOverLease(storage_, "token", other, "main");
  EXPECT_EQ(WhyNot(other), std::nullopt);
}

TEST_F(LeaseTest, WhatACopyHasWrittenIsTheCopysUntilItsLeaseIsTakenOver) {
  RenewLease(storage_, At("here"), "main");
  RequireLease(storage_, At("here"), At("here"));
  EXPECT_EQ(ErrorOf([&] { RequireLease(storage_, At("clone"), At("here")); }).kind(),
            ErrorKind::kDenied);
  TakeOverLease(storage_, "token", At("clone"), "main");
  TakeOverLease(storage_, "token", At("here"), "main");
  RequireLease(storage_, At("clone"), At("here"));
}

TEST_F(LeaseTest, AMarkerIsNotWrittenAtEveryRun) {
  RenewLease(storage_, At("here"), "main");
  const std::string first = memory_.objects[kMarker];
  storage_.now += minutes(9);
  RenewLease(storage_, At("here"), "main");
  EXPECT_EQ(memory_.objects[kMarker], first);
  storage_.now += minutes(2);
  RenewLease(storage_, At("here"), "main");
  EXPECT_NE(memory_.objects[kMarker], first);
}

TEST_F(LeaseTest, AStorageWithoutAMarkerMayBeAnotherOne) {
  EXPECT_EQ(WhyNot(At("here"))->kind(), ErrorKind::kUnavailable);
  EXPECT_TRUE(memory_.objects.empty());
}

TEST_F(LeaseTest, AMarkerThatCannotBeReadIsNobodys) {
  for (const char* text :
       {"", "{}", "nonsense", R"({"instance":{"place":"here"},"renewed_at":"now"})"}) {
    memory_.objects[kMarker] = text;
    EXPECT_EQ(WhyNot(At("here"))->kind(), ErrorKind::kCorrupt) << text;
    EXPECT_EQ(ErrorOf([&] { RenewLease(storage_, At("here"), "main"); }).kind(),
              ErrorKind::kCorrupt);
  }
  TakeOverLease(storage_, "token", At("here"), "main");
  EXPECT_EQ(WhyNot(At("here")), std::nullopt);
}

}  // namespace
}  // namespace pgbackup
