#include "core/process/tool_error.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

constexpr ExitStatus kFailed{1 << 8};

TEST(ToolError, SaysWhatTheProgramSaid) {
  const Error error =
      ToolError("pg_restore", "data.dump", kFailed, "pg_restore: error: no such thing\nmore");
  EXPECT_EQ(error.kind(), ErrorKind::kTool);
  EXPECT_EQ(error.message(), "pg_restore of data.dump exited with status 1: no such thing");
  EXPECT_EQ(error.detail(), "pg_restore: error: no such thing\nmore");
}

TEST(ToolError, TellsNothingOfRows) {
  const Error error = ToolError(
      "pg_restore", "data.dump", kFailed,
      "pg_restore: error: COPY failed for table \"t\": ERROR:  invalid input syntax for type "
      "integer: \"secret\"\nCONTEXT:  COPY t, line 7, column a: \"secret\"");
  EXPECT_EQ(error.message(),
            "pg_restore of data.dump exited with status 1: COPY failed for table \"t\": ERROR:  "
            "invalid input syntax for type integer: \"…\"");
  EXPECT_NE(error.detail().find("COPY t, line 7, column a"), std::string::npos);
  EXPECT_EQ(error.detail().find("secret"), std::string::npos);
}

TEST(ToolError, KnowsADumpThatCouldNotHaveItsLocks) {
  const char* tail =
      "pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout\n"
      "pg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE MODE";
  const Error error = ToolError("pg_dump", "data.dump", kFailed, tail);
  EXPECT_EQ(error.kind(), ErrorKind::kBusy);
  EXPECT_EQ(error.message(), "pg_dump of data.dump could not lock its tables in time");
  EXPECT_NE(error.hint().find("pgbackup.lock_wait_timeout"), std::string::npos);
  EXPECT_EQ(ToolError("pg_restore", "data.dump", kFailed, tail).kind(), ErrorKind::kTool);
}

}  // namespace
}  // namespace pgbackup
