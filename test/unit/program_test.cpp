#include "core/process/program.h"

#include "core/process/tool_error.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

TEST(ProgramVersion, IsReadFromEveryFormOfTheText) {
  EXPECT_EQ(ParseProgramVersion("pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n").major, 15);
  EXPECT_EQ(ParseProgramVersion("pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n").text,
            "15.20");
  EXPECT_EQ(ParseProgramVersion("pg_restore (PostgreSQL) 18beta1\n").major, 18);
  EXPECT_EQ(ParseProgramVersion("pg_dump (PostgreSQL) 9.6.24").major, 9);
}

TEST(ProgramVersion, IsRefusedWhenItIsNone) {
  for (const char* text : {"", "hello", "pg_dump (PostgreSQL) ", "pg_dump (PostgreSQL) x15"})
    EXPECT_EQ(ErrorOf([&] { ParseProgramVersion(text); }).kind(), ErrorKind::kTool) << text;
}

TEST(ProgramVersion, AnOlderProgramIsRefusedWithTheWayOut) {
  const ProgramVersion version{"15.20", 15};
  CheckProgramVersion("pg_dump", version, 14, "the server");
  CheckProgramVersion("pg_dump", version, 15, "the server");
  const Error error = ErrorOf([&] { CheckProgramVersion("pg_dump", version, 16, "the server"); });
  EXPECT_EQ(error.message(), "pg_dump 15.20 is older than the server, which is version 16");
  EXPECT_NE(error.hint().find("bin_directory"), std::string::npos);
}

TEST(Programs, AreSearchedInThePathOnlyWithoutADirectory) {
  Programs programs;
  programs.environment = {"PATH=/nowhere:/bin"};
  EXPECT_EQ(FindProgram(programs, "sh"), "/bin/sh");
  EXPECT_EQ(ErrorOf([&] { FindProgram(programs, "no-such-program"); }).kind(),
            ErrorKind::kNotFound);
  programs.directory = "/opt/pg/bin";
  EXPECT_EQ(FindProgram(programs, "pg_dump"), "/opt/pg/bin/pg_dump");
}

TEST(ToolError, QuotesTheProgramsOwnErrorLine) {
  const Error error = ToolError("pg_dump", "schema.dump.zst", ExitStatus{1 << 8},
                                "pg_dump: last built-in OID is 16383\n"
                                "pg_dump: error: query failed: ERROR:  no\n"
                                "pg_dump: detail: Query was: LOCK");
  EXPECT_EQ(error.kind(), ErrorKind::kTool);
  EXPECT_EQ(error.message(),
            "pg_dump of schema.dump.zst exited with status 1: query failed: ERROR:  no");
  EXPECT_NE(error.detail().find("Query was"), std::string::npos);
}

TEST(ToolError, IsCompleteWithoutAnyWordOfTheProgram) {
  EXPECT_EQ(ToolError("pg_dump", "x", ExitStatus{9}, "").message(),
            "pg_dump of x was killed by signal 9 (Killed)");
}

}  // namespace
}  // namespace pgbackup
