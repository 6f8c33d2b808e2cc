#include "core/restore/plan/findings.h"

#include "error_test_support.h"

namespace pgbackup {
namespace {

TEST(Findings, NothingFoundIsNoError) {
  Findings findings;
  findings.Try([] {});
  EXPECT_TRUE(findings.IsEmpty());
  findings.ThrowIfAny("a backup cannot be restored");
}

TEST(Findings, ASingleOneIsToldAsItIs) {
  Findings findings;
  findings.Try([] { throw Error(ErrorKind::kTool, "too old", "It is 12.", "Use 15."); });
  const Error error = ErrorOf([&] { findings.ThrowIfAny("a backup cannot be restored"); });
  EXPECT_EQ(error.kind(), ErrorKind::kTool);
  EXPECT_EQ(error.message(), "too old");
  EXPECT_EQ(error.detail(), "It is 12.");
  EXPECT_EQ(error.hint(), "Use 15.");
}

TEST(Findings, SeveralAreToldInOneErrorEachWithALine) {
  Findings others;
  others.Add(Error(ErrorKind::kNoSpace, "no room"));
  Findings findings;
  findings.Add(Error(ErrorKind::kNotFound, "roles are missing", "They own things.", "Make them."));
  findings.Add(others);
  findings.Try([] { throw Error(ErrorKind::kInvalid, "wrong version", "", "Use another."); });
  const Error error = ErrorOf([&] { findings.ThrowIfAny("backup 5 cannot be restored"); });
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.message(),
            "backup 5 cannot be restored: roles are missing; no room; wrong version");
  EXPECT_EQ(error.detail(), "They own things.");
  EXPECT_EQ(error.hint(), "Make them.\nUse another.");
}

TEST(Findings, WhatSaysNothingOfTheBackupPassesThrough) {
  for (const ErrorKind kind :
       {ErrorKind::kCancelled, ErrorKind::kUnavailable, ErrorKind::kInternal}) {
    Findings findings;
    EXPECT_EQ(ErrorOf([&] { findings.Try([&] { throw Error(kind, "x"); }); }).kind(), kind);
    EXPECT_TRUE(findings.IsEmpty());
  }
}

}  // namespace
}  // namespace pgbackup
