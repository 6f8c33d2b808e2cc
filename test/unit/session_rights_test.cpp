#include "core/postgres/session_rights.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(SessionRights, AreASuperusersToLendUnlessTheSessionIsConfined) {
  EXPECT_TRUE(LendsSuperuserRights({.is_superuser = true, .is_confined = false}));
  EXPECT_FALSE(LendsSuperuserRights({.is_superuser = true, .is_confined = true}));
  EXPECT_FALSE(LendsSuperuserRights({.is_superuser = false, .is_confined = false}));
  EXPECT_FALSE(LendsSuperuserRights({.is_superuser = false, .is_confined = true}));
}

}  // namespace
}  // namespace pgbackup
