#include "core/postgres/quoting.h"

#include "core/dump/server_encoding.h"
#include "core/postgres/server_address.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

TEST(Quoting, AnIdentifierIsAlwaysQuotedAndItsQuotesDoubled) {
  EXPECT_EQ(QuoteIdentifier("plain"), "\"plain\"");
  EXPECT_EQ(QuoteIdentifier("a\"b.c*?"), "\"a\"\"b.c*?\"");
}

TEST(Quoting, ALiteralIsRightWhateverTheServersBackslashRules) {
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
  EXPECT_EQ(QuoteLiteral("a\\'b"), "E'a\\\\''b'");
}

TEST(Quoting, AConninfoValueEscapesQuotesAndBackslashes) {
  EXPECT_EQ(QuoteConninfoValue("a 'b\\"), "'a \\'b\\\\'");
  EXPECT_EQ(QuoteConninfoValue(""), "''");
}

TEST(Quoting, AListSettingComesApartAsTheServerQuotedIt) {
  const std::vector<std::string> expected = {"$user", "My, Schema", "public", "a\"b"};
  EXPECT_EQ(SplitIdentifierList(R"("$user", "My, Schema", public, "a""b")"), expected);
  EXPECT_TRUE(SplitIdentifierList("").empty());
  EXPECT_EQ(SplitIdentifierList("\"\""), std::vector<std::string>{""});
}

TEST(QualifiedName, IsReadAsSqlReadsIt) {
  EXPECT_EQ(ParseQualifiedName("Public.T1", "tables"), (QualifiedName{"public", "t1"}));
  EXPECT_EQ(ParseQualifiedName(" \"My.Schema\" . \"T \"\"x\" ", "tables"),
            (QualifiedName{"My.Schema", "T \"x"}));
  EXPECT_EQ(ParseQualifiedName("übung.täble", "tables"), (QualifiedName{"übung", "täble"}));
}

TEST(QualifiedName, AnythingElseIsRefused) {
  for (const char* text :
       {"", "t", ".t", "s.", "a.b.c", "s.t*", "s.\"t", "s.t x", "1s.t", "s.\"\"", "s.t;drop"})
    EXPECT_EQ(ErrorOf([&] { ParseQualifiedName(text, "tables"); }).kind(), ErrorKind::kInvalid)
        << text;
}

TEST(QualifiedName, QuotedItIsAPatternForExactlyThatTable) {
  EXPECT_EQ(QuoteQualifiedName({"a.b", "t\"*"}), "\"a.b\".\"t\"\"*\"");
}

std::string OptionsOf(const ConnectionSettings& settings) {
  std::string options;
  for (const auto& [keyword, value] : settings)
    if (keyword == "options") options += value;
  return options;
}

ConnectionSettings WithoutOptions(ConnectionSettings settings) {
  std::erase_if(settings, [](const auto& setting) { return setting.first == "options"; });
  return settings;
}

TEST(ServerAddress, NoSettingOfADatabaseDecidesAsWhomAndHowLongASessionWorks) {
  const std::string fixed =
      "-c role=none -c pgbackup.confined=on -c local_preload_libraries= -c exit_on_error=off "
      "-c default_transaction_isolation=read\\ committed -c default_transaction_read_only=off "
      "-c default_transaction_deferrable=off -c statement_timeout=0 -c lock_timeout=0 "
      "-c idle_in_transaction_session_timeout=0";
  ServerAddress address;
  EXPECT_EQ(OptionsOf(SettingsFor(address, "db")), fixed);
  address.conninfo = "options='-c work_mem=1GB'";
  EXPECT_EQ(OptionsOf(SettingsFor(address, "db")), "-c work_mem=1GB " + fixed)
      << "ours come last, and so win";
}

TEST(ServerAddress, ARoleThatTheConninfoSetsStays) {
  ServerAddress address;
  for (const char* options : {"-c role=backup", "-crole=backup", "--role=backup", "-c  ROLE=b"}) {
    address.conninfo = std::string("options='") + options + "'";
    EXPECT_EQ(OptionsOf(SettingsFor(address, "db")).find("role=none"), std::string::npos)
        << options;
  }
}

TEST(ServerAddress, OptionsOfTheEnvironmentAreKept) {
  setenv("PGOPTIONS", "-c work_mem=2GB", 1);
  setenv("PGCONNECT_TIMEOUT", "7", 1);
  const ConnectionSettings settings = SettingsFor(ServerAddress(), "db");
  unsetenv("PGOPTIONS");
  unsetenv("PGCONNECT_TIMEOUT");
  EXPECT_EQ(OptionsOf(settings).substr(0, 29), "-c work_mem=2GB -c role=none ");
  EXPECT_NE(ConnectionString(settings).find("connect_timeout='7'"), std::string::npos);
}

TEST(ServerAddress, OnlyTimeoutsThatTheServerHasAreSwitchedOff) {
  const auto options = [](int version) {
    ConnectionSettings settings;
    AddTimeoutOptions(&settings, version);
    return OptionsOf(settings);
  };
  EXPECT_EQ(options(130020), "");
  EXPECT_EQ(options(160002), "-c idle_session_timeout=0");
  EXPECT_EQ(options(170000), "-c idle_session_timeout=0 -c transaction_timeout=0");
}

TEST(ServerAddress, ADatabaseNameIsNeverAConnectionString) {
  ServerAddress address;
  address.host = "/tmp";
  address.port = "5432";
  const ConnectionSettings settings = SettingsFor(address, "x host=evil 'q'");
  EXPECT_EQ(ConnectionString(WithoutOptions(settings)),
            "host='/tmp' port='5432' dbname='x host=evil \\'q\\'' application_name='pgbackup' "
            "connect_timeout='60'");
}

TEST(ServerAddress, TheConninfoOverridesAllButTheDatabase) {
  ServerAddress address;
  address.host = "/tmp";
  address.user = "postgres";
  address.conninfo = "user=backup dbname=other passfile=/x sslmode=require connect_timeout=5";
  ConnectionSettings settings = WithoutOptions(SettingsFor(address, "db"));
  std::sort(settings.begin(), settings.end());  // libpq decides the order
  EXPECT_EQ(ConnectionString(settings),
            "application_name='pgbackup' connect_timeout='5' dbname='db' host='/tmp' passfile='/x' "
            "sslmode='require' user='backup'");
}

TEST(ServerAddress, RefusesAPasswordWithoutRepeatingIt) {
  ServerAddress address;
  for (const char* conninfo :
       {"password=hunter2", "postgresql://me:hunter2@host/", "sslpassword=hunter2", "hunter2 x"}) {
    address.conninfo = conninfo;
    const Error error = ErrorOf([&] { SettingsFor(address, "db"); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_EQ((error.message() + error.detail() + error.hint()).find("hunter2"), std::string::npos);
  }
}

TEST(ServerAddress, ErrorsNameWhereTheConninfoComesFrom) {
  ServerAddress address;
  address.conninfo = "password=x";
  address.conninfo_from = "--dbname";
  EXPECT_EQ(ErrorOf([&] { SettingsFor(address, "db"); }).message(), "--dbname holds a password");
}

TEST(ServerAddress, ADatabaseIsANameOrInAConnectionString) {
  EXPECT_EQ(DatabaseOf("my db", "x"), "my db");
  EXPECT_EQ(DatabaseOf("host=h dbname='my db'", "x"), "my db");
  EXPECT_EQ(DatabaseOf("postgresql://h/shop", "x"), "shop");
  EXPECT_EQ(DatabaseOf("host=h", "x"), "");
  EXPECT_THROW(DatabaseOf("a=b=c", "x"), Error);
}

TEST(ServerAddress, TheVariablesThatSayHowToConnectAreKnown) {
  const std::vector<std::string> names = ConnectionVariables();
  const std::set<std::string> set(names.begin(), names.end());
  EXPECT_EQ(set.size(), names.size());
  for (const char* name : {"PGHOST", "PGPORT", "PGUSER", "PGPASSFILE", "PGPASSWORD", "PGSSLMODE"})
    EXPECT_EQ(set.count(name), 1u) << name;
  for (const char* name : {"PGDATABASE", "PGAPPNAME", "PGCLIENTENCODING"})
    EXPECT_EQ(set.count(name), 0u) << name;
}

TEST(HexBytea, IsDecodedOrRefused) {
  EXPECT_EQ(DecodeHexBytea("\\x74e4"), "t\xe4");
  EXPECT_EQ(DecodeHexBytea("\\x"), "");
  for (const char* text : {"", "74", "\\x7", "\\xzz"})
    EXPECT_THROW(DecodeHexBytea(text), Error) << text;
}

}  // namespace
}  // namespace pgbackup
