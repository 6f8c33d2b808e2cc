#include "core/base/small_file.h"

#include <unistd.h>

#include "error_test_support.h"

namespace pgbackup {
namespace {

bool IsPrivate(uid_t owner, mode_t mode) {
  try {
    CheckPrivacy("/key", {"", mode, owner}, FilePrivacy::kPrivate, "could not read the key");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDenied);
    EXPECT_FALSE(error.hint().empty());
    return false;
  }
  return true;
}

TEST(SmallFile, AKeyIsOfItsOwnerAloneOrOfRootAndAGroup) {
  constexpr uid_t kRoot = 0;
  // As Kubernetes mounts secrets with fsGroup.
  for (const mode_t mode : {0400, 0440, 0600, 0640}) EXPECT_TRUE(IsPrivate(kRoot, mode)) << mode;
  for (const mode_t mode : {0444, 0460, 0641, 0644, 0660})
    EXPECT_FALSE(IsPrivate(kRoot, mode)) << mode;
  if (geteuid() == kRoot) return;  // then the rule for root's files is the one for ours
  for (const mode_t mode : {0400, 0600, 0700}) EXPECT_TRUE(IsPrivate(geteuid(), mode)) << mode;
  for (const mode_t mode : {0440, 0640, 0604, 0644})
    EXPECT_FALSE(IsPrivate(geteuid(), mode)) << mode;
}

TEST(SmallFile, AKeyOfAnotherUserIsRefusedWhateverItsMode) {
  const uid_t other = geteuid() + 1;
  for (const mode_t mode : {0400, 0600}) EXPECT_FALSE(IsPrivate(other, mode));
  const Error error = ErrorOf([&] {
    CheckPrivacy("/key", {"", 0640, other}, FilePrivacy::kPrivate, "could not read the key");
  });
  EXPECT_EQ(error.message(), "could not read the key: it is readable by others");
}

}  // namespace
}  // namespace pgbackup
