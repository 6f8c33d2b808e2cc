#include "core/passkey/passkey.h"

#include "core/job/job.h"
#include "core/passkey/passkey_run.h"
#include "error_test_support.h"
#include "run_test_support.h"
#include "text_test_support.h"

namespace pgbackup {
namespace {

// scrypt of "correct horse" with the salt 00 01 … 0f, N = 2^14: computed by Python's hashlib.
const char* const kKnownHash =
    "scrypt$ln=14,r=8,p=1$000102030405060708090a0b0c0d0e0f$"
    "25b376840366f4d3b0e21e414476676e3cd0e89af4430356a234ce0b65a021b5";

TEST(PasskeyHash, WhatWasMadeIsRead) {
  const auto environment = SystemEnvironment();
  const std::string text = HashPasskey("correct horse", *environment);
  PasskeyHash hash;
  ASSERT_TRUE(ParsePasskeyHash(text, &hash)) << text;
  EXPECT_TRUE(IsPasskey("correct horse", hash));
  EXPECT_FALSE(IsPasskey("correct horsf", hash));
  EXPECT_FALSE(IsPasskey("", hash));
  EXPECT_EQ(text.find("correct"), std::string::npos);
  EXPECT_NE(HashPasskey("correct horse", *environment), text) << "the salt is another each time";
}

TEST(PasskeyHash, IsScryptOfThePasskey) {
  PasskeyHash hash;
  ASSERT_TRUE(ParsePasskeyHash(kKnownHash, &hash));
  EXPECT_EQ(hash.log_n, 14);
  EXPECT_TRUE(IsPasskey("correct horse", hash));
}

TEST(PasskeyHash, AnythingElseIsRefused) {
  const std::string good = kKnownHash;
  PasskeyHash hash;
  for (const std::string& text :
       {std::string(), std::string("correct horse"), good + "0", good.substr(0, good.size() - 1),
        good.substr(0, 20), "$" + good, Replaced(good, "ln=14", "ln=13"),
        Replaced(good, "ln=14", "ln=21"), Replaced(good, "ln=14", "ln=4"),
        Replaced(good, "r=8", "r=1"), Replaced(good, "p=1", "p=2"), Replaced(good, "$00", "$0g"),
        Replaced(good, "scrypt", "bcrypt")})
    EXPECT_FALSE(ParsePasskeyHash(text, &hash)) << text;
}

TEST(Passkey, IsALineOfSomeLength) {
  const auto environment = SystemEnvironment();
  const auto hash = [&](const std::string& passkey) { HashPasskey(passkey, *environment); };
  EXPECT_EQ(ErrorOf([&] { hash("seven77"); }).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(ErrorOf([&] { hash("äöüäöüä"); }).kind(), ErrorKind::kInvalid)
      << "characters count, not bytes";
  EXPECT_EQ(ErrorOf([&] { hash("with\ttabulator"); }).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(ErrorOf([&] { hash("not\xffUTF-8"); }).kind(), ErrorKind::kInvalid);
  EXPECT_NO_THROW(hash("äöüäöüäö"));
}

TEST(PasskeyRun, TellsWhetherThePasskeyIsRight) {
  const auto answer = [](const std::string& passkey) {
    const Job job = ParseJob(R"({"protocol":1,"job":"passkey","hash":")" + std::string(kKnownHash) +
                             "\"" + passkey + "}");
    const auto environment = SystemEnvironment();
    const RunHarness run(*environment, {});
    return RunPasskey(std::get<PasskeyJob>(job), run.context).fields.at("right").as_bool();
  };
  EXPECT_TRUE(answer(R"(,"passkey":"correct horse")"));
  EXPECT_FALSE(answer(R"(,"passkey":"correct horse ")"));
  EXPECT_FALSE(answer(R"(,"passkey":"")"));
  EXPECT_FALSE(answer(R"(,"passkey":null)"));
  EXPECT_FALSE(answer(""));
  EXPECT_EQ(ErrorOf([] { ParseJob(R"({"protocol":1,"job":"passkey","hash":"x"})"); }).kind(),
            ErrorKind::kInvalid);
}

}  // namespace
}  // namespace pgbackup
