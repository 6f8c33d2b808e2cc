#include "core/restore/load/pg_restore_log.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

class PgRestoreLogTest : public ::testing::Test {
 protected:
  // In pieces of `size` bytes.
  bool Read(std::string_view text, size_t size = 1000) {
    errors_.clear();
    PgRestoreLog log([this](RestoreError error) { errors_.push_back(std::move(error)); });
    for (; !text.empty(); text.remove_prefix(std::min(size, text.size())))
      log.Append(text.substr(0, size));
    return log.Finish();
  }

  std::vector<RestoreError> errors_;
};

constexpr std::string_view kTwoErrors =
    "pg_restore: while PROCESSING TOC:\n"
    "pg_restore: from TOC entry 3345; 2606 16410 CONSTRAINT t t_pkey owner\n"
    "pg_restore: error: could not execute query: ERROR:  could not create unique index \"t_pkey\"\n"
    "DETAIL:  Key (a)=(1) is duplicated.\n"
    "Command was: ALTER TABLE ONLY public.t\n"
    "    ADD CONSTRAINT t_pkey PRIMARY KEY (a);\n"
    "\n"
    "\n"
    "pg_restore: from TOC entry 3346; 0 16388 TABLE DATA u owner\n"
    "pg_restore: error: COPY failed for table \"u\": ERROR:  relation \"rates\" does not exist\n"
    "LINE 1: SELECT rate FROM rates\n"
    "CONTEXT:  PL/pgSQL function public.rate() line 1 at RETURN\n"
    "pg_restore: warning: errors ignored on restore: 2\n";

TEST_F(PgRestoreLogTest, TellsWhatWasRefused) {
  for (const size_t size : {1, 7, 4096}) {
    EXPECT_TRUE(Read(kTwoErrors, size));
    ASSERT_EQ(errors_.size(), 2u);
    EXPECT_EQ(errors_[0].entry, "CONSTRAINT t t_pkey");
    EXPECT_EQ(errors_[0].message, "could not create unique index \"t_pkey\"");
    EXPECT_EQ(errors_[0].detail.find("Command was"), std::string::npos);
    EXPECT_EQ(errors_[1].entry, "TABLE DATA u");
    EXPECT_EQ(errors_[1].message, "relation \"rates\" does not exist");
    EXPECT_NE(errors_[1].detail.find("function public.rate() line 1"), std::string::npos);
  }
}

TEST_F(PgRestoreLogTest, LeavesOutWhatFollowsFromAnotherError) {
  Read(
      "pg_restore: from TOC entry 9; 0 0 STATISTICS DATA priced_rate (no owner)\n"
      "pg_restore: error: could not execute query: ERROR:  relation \"public.priced_rate\" does "
      "not "
      "exist\nCommand was: SELECT * FROM pg_catalog.pg_restore_relation_stats(\n"
      "pg_restore: from TOC entry 10; 0 0 STATISTICS DATA t (no owner)\n"
      "pg_restore: error: could not execute query: ERROR:  out of shared memory\n");
  ASSERT_EQ(errors_.size(), 1u);
  EXPECT_EQ(errors_[0].entry, "STATISTICS DATA t");
}

TEST_F(PgRestoreLogTest, ShowsNoValuesOfRows) {
  EXPECT_TRUE(Read(kTwoErrors));
  EXPECT_EQ(errors_.at(0).detail, "DETAIL:  Key (a)=(…) is duplicated.");
}

TEST_F(PgRestoreLogTest, KnowsAnEndThatCameTooEarly) {
  std::string text(kTwoErrors.substr(0, kTwoErrors.rfind("pg_restore: ")));
  EXPECT_FALSE(Read(text));
  EXPECT_EQ(errors_.size(), 2u);
  // Somebody's error says it, the program does not.
  text +=
      "pg_restore: error: could not execute query: ERROR:  oh\n"
      "pg_restore: warning: errors ignored on restore: 2\n"
      "Command was: SELECT f();\n";
  EXPECT_FALSE(Read(text));
  EXPECT_FALSE(Read(std::string(kTwoErrors) + "pg_restore: error: the connection was lost\n"));
  EXPECT_FALSE(Read(""));
}

TEST_F(PgRestoreLogTest, KeepsLittleOfMuch) {
  std::string text = "pg_restore: error: " + std::string(100000, 'x') + "\n";
  for (int i = 0; i < 1000; ++i) text += "CONTEXT:  here\n";
  Read(text);
  ASSERT_EQ(errors_.size(), 1u);
  EXPECT_LT(errors_[0].message.size() + errors_[0].detail.size(), 3000u);
}

TEST(RestoreErrorsTest, CountsAllAndKeepsTheFirst) {
  RestoreErrors errors;
  EXPECT_EQ(errors.InWords(), "");
  EXPECT_EQ(errors.Listed(), "");
  errors.Add({"TABLE t", "no", ""});
  EXPECT_EQ(errors.InWords(),
            "the database is INCOMPLETE: 1 error was passed over, the first of TABLE t: no");
  for (size_t i = 0; i < 2 * RestoreErrors::kMostKept; ++i)
    errors.Add({"TABLE u", "no", std::string(100, 'x')});
  EXPECT_EQ(errors.count(), 2001u);
  EXPECT_EQ(errors.AsJson().size(), RestoreErrors::kMostKept);
  EXPECT_NE(errors.Listed().find("… and 1981 more"), std::string::npos);
  for (size_t i = 0; i < 10; ++i) errors.Add({"TABLE v", std::string(100000, 'x'), ""});
  EXPECT_LT(boost::json::serialize(errors.AsJson()).size(), 2 * RestoreErrors::kMostBytes);
}

}  // namespace
}  // namespace pgbackup
