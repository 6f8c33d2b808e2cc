#include "core/postgres/sql_script.h"

#include "error_test_support.h"

namespace pgbackup {
namespace {

std::vector<std::string> TextsOf(std::string_view script) {
  std::vector<std::string> texts;
  for (const SqlStatement& statement : SplitSqlScript(script)) texts.push_back(statement.text);
  return texts;
}

std::vector<std::string> SourcesOf(std::string_view script) {
  std::vector<std::string> sources;
  for (const SqlStatement& statement : SplitSqlScript(script))
    for (const SqlToken& token : statement.tokens) sources.push_back(token.source);
  return sources;
}

using Strings = std::vector<std::string>;

TEST(SqlScript, EndsStatementsAtSemicolons) {
  EXPECT_EQ(TextsOf("CREATE ROLE a;\n\nALTER ROLE a\n  WITH LOGIN ;; SELECT 1"),
            (Strings{"CREATE ROLE a", "ALTER ROLE a\n  WITH LOGIN", "SELECT 1"}));
  EXPECT_EQ(TextsOf(""), Strings());
  EXPECT_EQ(TextsOf(" ; -- nothing\n"), Strings());
}

TEST(SqlScript, SemicolonsInQuotesCommentsAndParenthesesEndNothing) {
  const char* script =
      "COMMENT ON ROLE a IS 'x; it''s';"
      "COMMENT ON ROLE \"b;\"\"c\" IS E'\\';\\\\';"
      "SELECT $$;$$ || $a$ $$; $b$ $a$;"
      "DO x -- ; y\n z /* ; /* ; */ ; */ w;"
      "CREATE RULE r DO (SELECT 1; SELECT 2);"
      "SELECT U&'\\;' , a$b, $1";
  EXPECT_EQ(
      TextsOf(script),
      (Strings{"COMMENT ON ROLE a IS 'x; it''s'", "COMMENT ON ROLE \"b;\"\"c\" IS E'\\';\\\\'",
               "SELECT $$;$$ || $a$ $$; $b$ $a$", "DO x -- ; y\n z /* ; /* ; */ ; */ w",
               "CREATE RULE r DO (SELECT 1; SELECT 2)", "SELECT U&'\\;' , a$b, $1"}));
}

TEST(SqlScript, ABackslashIsNothingSpecialInAPlainLiteral) {
  EXPECT_EQ(TextsOf("SELECT 'a\\'; SELECT 2"), (Strings{"SELECT 'a\\'", "SELECT 2"}));
}

TEST(SqlScript, TokensAreWithoutCommentsAndBlanks) {
  EXPECT_EQ(SourcesOf("GRANT/**/a -- x\n TO \"B c\" WITH x=-1.5e3 , E'y' ('z'), $$q$$"),
            (Strings{"GRANT", "a", "TO", "\"B c\"", "WITH", "x", "=", "-", "1.5e3", ",", "E'y'",
                     "(", "'z'", ")", ",", "$$q$$"}));
}

TEST(SqlScript, NamesMeanWhatTheServerTakesThemFor) {
  const auto statements = SplitSqlScript("ALTER \"A\"\"b\" SeT\xc3\x84 'Text'");
  ASSERT_EQ(statements.size(), 1u);
  const auto& tokens = statements[0].tokens;
  ASSERT_EQ(tokens.size(), 4u);
  EXPECT_TRUE(tokens[0].IsWord("alter"));
  EXPECT_EQ(tokens[1].value, "A\"b");
  EXPECT_TRUE(tokens[1].IsIdentifier());
  EXPECT_FALSE(tokens[1].IsWord("A\"b"));
  EXPECT_EQ(tokens[2].value, "set\xc3\x84");
  EXPECT_EQ(tokens[3].kind, SqlToken::Kind::kText);
  EXPECT_FALSE(tokens[3].IsIdentifier());
}

TEST(SqlScript, PsqlsOwnCommandsBetweenStatementsAreSkipped) {
  EXPECT_EQ(TextsOf("\\restrict x;y\n\nCREATE ROLE a;\n\\unrestrict x"),
            (Strings{"CREATE ROLE a"}));
}

TEST(SqlScript, AQuoteThatNeverEndsIsRefused) {
  for (const char* script : {"SELECT 'a", "SELECT \"a", "SELECT $a$ $b$", "SELECT E'a\\'", "E'\\"})
    EXPECT_EQ(ErrorOf([&] { SplitSqlScript(script); }).kind(), ErrorKind::kInvalid) << script;
}

}  // namespace
}  // namespace pgbackup
