#include "core/copies/tee_storage.h"

#include "copies_test_support.h"
#include "core/base/sha256.h"
#include "core/manifest/segment_sink.h"

namespace pgbackup {
namespace {

TEST(TeeStorage, CutsObjectsWhereTheLeastStorageMust) {
  const auto environment = SystemEnvironment();
  const Cancellation run;
  TroubledStorage primary("memory://primary", 1000), small("memory://small", 30);
  CopyTargets targets;
  targets.push_back(std::make_unique<CopyTarget>(
      [&](const Cancellation&) { return std::make_unique<BorrowedStorage>(small); }, "f",
      Claim{std::string(32, 'a')}, CopyLimits{}, *environment, run));
  TeeStorage tee(primary, targets);
  std::atomic<uint64_t> stored{0};
  SegmentSink sink(tee, "f/a", &stored);
  sink.Write(AsBytes(std::string(70, 'x')));
  sink.Finish();
  targets[0]->Complete("{}");
  targets[0]->Await();
  primary.Store("f/manifest.json", "{}");
  EXPECT_EQ(targets[0]->failure(), std::nullopt);
  EXPECT_EQ(small.objects(), primary.objects());
  EXPECT_EQ(small.objects()["f/a.part3"].size(), 10u);
}

}  // namespace
}  // namespace pgbackup
