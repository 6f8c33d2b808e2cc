#include "shared/state.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

constexpr RunState kAll[] = {RunState::kPending, RunState::kInProgress, RunState::kCompleted,
                             RunState::kFailed,  RunState::kCancelled,  RunState::kExpired};

TEST(RunState, NamesSurviveARoundTrip) {
  for (const RunState state : kAll) EXPECT_EQ(ParseState(StateName(state)), state);
  EXPECT_EQ(ParseState("done"), std::nullopt);
}

// What has failed may turn out to be complete in the storage.
TEST(RunState, NothingElseLeavesAFinalState) {
  for (const RunState from : kAll)
    for (const RunState to : kAll) {
      if (!IsFinal(from)) continue;
      EXPECT_EQ(IsLegalTransition(from, to),
                (from == RunState::kCompleted && to == RunState::kExpired) ||
                    (from == RunState::kFailed && to == RunState::kCompleted))
          << StateName(from) << " to " << StateName(to);
    }
}

TEST(RunState, WhatHasNotBegunOrWasCancelledDoesNotComplete) {
  for (const RunState from : kAll)
    EXPECT_EQ(IsLegalTransition(from, RunState::kCompleted),
              from == RunState::kInProgress || from == RunState::kFailed);
}

TEST(CopyState, AFailedCopyIsTriedAgainAndNothingElseIsDifferent) {
  for (const RunState from : kAll)
    for (const RunState to : kAll) {
      const bool never = to == RunState::kCancelled || to == RunState::kExpired;
      const bool again = from == RunState::kFailed && to == RunState::kInProgress;
      EXPECT_EQ(IsLegalCopyTransition(from, to),
                again || (from != RunState::kFailed && !never && IsLegalTransition(from, to)))
          << StateName(from) << " to " << StateName(to);
    }
}

}  // namespace
}  // namespace pgbackup
