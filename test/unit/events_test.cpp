#include "core/job/events.h"

#include "core/base/timestamp.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

TEST(Events, ProgressTellsPhaseAndBytes) {
  Progress progress;
  progress.SetPhase("dumping");
  progress.raw_bytes = 10;
  progress.stored_bytes = 4;
  progress.total_bytes = 100;
  EXPECT_EQ(ProgressEvent(progress),
            R"({"event":"progress","phase":"dumping","raw_bytes":10,"stored_bytes":4,)"
            R"("total_bytes":100})");
}

TEST(Events, ProgressTellsHowLongARunHasComeNoFurther) {
  const Progress progress;
  EXPECT_NE(ProgressEvent(progress, std::chrono::seconds(75)).find(R"("idle_seconds":75)"),
            std::string::npos);
}

TEST(Events, ProgressTellsWhenTheDataFlowed) {
  Progress progress;
  progress.total_bytes = 100;
  progress.raw_bytes = 80;
  progress.BeginData(WallTime(std::chrono::nanoseconds(1'000'001'999)));
  EXPECT_NE(ProgressEvent(progress).find(R"("total_bytes":100,"data_began":1000001})"),
            std::string::npos);
  progress.EndData(WallTime(std::chrono::nanoseconds(2'000'000'000)));
  EXPECT_NE(ProgressEvent(progress).find(
                R"("total_bytes":80,"data_began":1000001,"data_ended":2000000})"),
            std::string::npos)
      << "nothing more comes, so the total is what has come";
}

TEST(Events, ProgressTellsTablesWhateverTheirNamesAre) {
  Progress progress;
  progress.tables.Plan({{"a.b", "c\"d\n\xff"}, {"s", "t"}});
  progress.tables.End({"s", "t"});
  progress.tables.Begin({"a.b", "c\"d\n\xff"});
  EXPECT_NE(ProgressEvent(progress).find("\"tables_done\":1,\"tables_total\":2,\"current_tables\":["
                                         "[\"a.b\",\"c\\\"d\\n\xEF\xBF\xBD\"]]}"),
            std::string::npos)
      << ProgressEvent(progress);
}

TEST(Events, ProgressNamesNoMoreTablesThanTheLauncherShows) {
  Progress progress;
  std::vector<QualifiedName> tables;
  for (int i = 0; i < 40; ++i) tables.push_back({"s", std::to_string(100 + i)});
  progress.tables.Plan(tables);
  for (const QualifiedName& table : tables) progress.tables.Begin(table);
  const std::string event = ProgressEvent(progress);
  EXPECT_NE(event.find(R"(["s","115"]]})"), std::string::npos) << event;
}

TEST(Events, AFailureCarriesEverythingTheRowNeedsOnOneLine) {
  RunOutcome outcome;
  outcome.state = RunState::kFailed;
  outcome.error = Error(ErrorKind::kTool, "pg_dump failed", "line 1\nline \xff 2", "Try again.");
  outcome.cleaned = false;
  const std::string event = FinalEvent(outcome);
  EXPECT_EQ(event.find('\n'), std::string::npos);
  EXPECT_EQ(event,
            "{\"event\":\"failed\",\"message\":\"pg_dump failed\",\"detail\":\"line 1\\nline "
            "\xEF\xBF\xBD 2\",\"hint\":\"Try again.\",\"sqlstate\":\"38000\",\"kind\":\"tool\","
            "\"retry\":false,\"cleaned\":false}");
  EXPECT_EQ(ExitCodeOf(outcome), 1);
}

TEST(Events, AFailureThatMayPassSaysSo) {
  RunOutcome outcome;
  outcome.state = RunState::kFailed;
  outcome.error = Error(ErrorKind::kBusy, "gave way");
  const std::string event = FinalEvent(outcome);
  EXPECT_NE(event.find("\"sqlstate\":\"55P03\",\"kind\":\"busy\",\"retry\":true"),
            std::string::npos)
      << event;
}

TEST(Events, AFailureAlwaysSaysWhatToDo) {
  RunOutcome outcome;
  outcome.state = RunState::kFailed;
  outcome.error = Error(ErrorKind::kNoSpace, "the disk is full");
  EXPECT_NE(FinalEvent(outcome).find("\"hint\":\"Make room"), std::string::npos);
}

TEST(Events, CompletedCarriesTheRunsFields) {
  RunOutcome outcome;
  outcome.fields["objects"] = 3;
  EXPECT_EQ(FinalEvent(outcome), R"({"event":"completed","objects":3})");
  EXPECT_EQ(ExitCodeOf(outcome), 0);
}

TEST(Events, CancelledIsNeitherFailedNorCompleted) {
  RunOutcome outcome;
  outcome.state = RunState::kCancelled;
  EXPECT_EQ(FinalEvent(outcome), R"({"event":"cancelled","cleaned":true})");
  EXPECT_EQ(ExitCodeOf(outcome), 1);
}

TEST(Events, EveryLastEventCarriesWhatTheStorageHasShown) {
  StorageSigns signs;
  EXPECT_TRUE(SignFields(signs).empty());
  signs.clock_skew = std::chrono::seconds(-95);
  signs.credentials_end = WallTime(std::chrono::seconds(1743296523));
  const std::string shown =
      R"("clock_skew":-95,"credentials_expire_at":"2025-03-30T01:02:03.000000Z"})";
  RunOutcome outcome;
  outcome.fields = SignFields(signs);
  EXPECT_EQ(FinalEvent(outcome), R"({"event":"completed",)" + shown);
  EXPECT_EQ(StoredEvent(outcome.fields), R"({"event":"stored",)" + shown);
  outcome.state = RunState::kCancelled;
  EXPECT_EQ(FinalEvent(outcome), R"({"event":"cancelled","cleaned":true,)" + shown);
  outcome.state = RunState::kFailed;
  outcome.error = Error(ErrorKind::kDenied, "no");
  const std::string failed = FinalEvent(outcome);
  EXPECT_EQ(failed.find(R"({"event":"failed","message":"no",)"), 0u) << failed;
  EXPECT_NE(failed.find(shown), std::string::npos) << failed;
}

TEST(RunOutcome, WhatWasToldToEndDidNotFail) {
  RunOutcome failed;
  failed.state = RunState::kFailed;
  failed.error = Error(ErrorKind::kTool, "pg_dump was killed");
  EXPECT_EQ(Ended(failed, {}).state, RunState::kFailed);
  EXPECT_EQ(Ended(failed, {}).error->message(), "pg_dump was killed");
  EXPECT_EQ(Ended(failed, {true}).state, RunState::kCancelled);
  RunOutcome completed;
  EXPECT_EQ(Ended(completed, {true}).state, RunState::kCompleted);
  EXPECT_EQ(Ended(completed, {true, "took too long"}).state, RunState::kCompleted);
}

TEST(RunOutcome, WhatWasToldToEndForAReasonFailedOfThat) {
  RunOutcome ended;
  ended.state = RunState::kCancelled;
  ended.error = Error(ErrorKind::kCancelled, "the run was cancelled");
  ended.cleaned = false;
  ended = Ended(std::move(ended), {true, "took too long"});
  EXPECT_EQ(ended.state, RunState::kFailed);
  EXPECT_EQ(ended.error->message(), "took too long");
  EXPECT_FALSE(ended.cleaned);
  EXPECT_EQ(ExitCodeOf(ended), 1);
  EXPECT_NE(FinalEvent(ended).find("\"sqlstate\":\"57014\""), std::string::npos);
}

TEST(RunOutcome, EveryExceptionBecomesAnOutcome) {
  const auto outcome = [](auto exception) {
    return OutcomeOf(std::make_exception_ptr(exception), true);
  };
  EXPECT_EQ(outcome(Error(ErrorKind::kCancelled, "x")).state, RunState::kCancelled);
  EXPECT_EQ(outcome(Error(ErrorKind::kNoSpace, "x")).error->kind(), ErrorKind::kNoSpace);
  EXPECT_EQ(outcome(std::bad_alloc()).error->message(), "out of memory");
  EXPECT_EQ(outcome(std::runtime_error("odd")).error->message(), "unexpected error: odd");
}

TEST(Timestamp, IsUtcWithMicroseconds) {
  EXPECT_EQ(FormatTimestamp(WallTime(std::chrono::nanoseconds(1743296523456789000))),
            "2025-03-30T01:02:03.456789Z");
  EXPECT_EQ(FormatTimestamp(WallTime(std::chrono::nanoseconds(-1))), "1969-12-31T23:59:59.999999Z");
}

}  // namespace
}  // namespace pgbackup
