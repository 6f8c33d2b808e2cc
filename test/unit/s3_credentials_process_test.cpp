#include "core/aws/credentials_process.h"

#include "s3_credentials_test_support.h"

namespace pgbackup {
namespace {

using Words = std::vector<std::string>;

TEST(SplitCommand, SplitsAtBlanksAndHeedsQuotes) {
  EXPECT_EQ(SplitCommand("  /bin/get  a\tb "), (Words{"/bin/get", "a", "b"}));
  EXPECT_EQ(SplitCommand(R"("/opt/my tools/get" 'a "b' --x="c d" "" e\f)"),
            (Words{"/opt/my tools/get", "a \"b", "--x=c d", "", "e\\f"}));
  EXPECT_EQ(SplitCommand(R"("a\"b\\c\d")"), (Words{R"(a"b\c\d)"}));
  EXPECT_EQ(SplitCommand(""), Words{});
}

TEST(SplitCommand, ExpandsNothing) {
  EXPECT_EQ(SplitCommand("get $HOME `id` * ~ ; rm"),
            (Words{"get", "$HOME", "`id`", "*", "~", ";", "rm"}));
}

TEST(SplitCommand, RefusesAnOpenQuote) {
  EXPECT_EQ(ErrorOf([] { SplitCommand("get 'a"); }).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(ErrorOf([] { SplitCommand("get \"a\\\""); }).kind(), ErrorKind::kInvalid);
}

class CredentialsProcess : public CredentialsTest {
 protected:
  // The command that runs `script`.
  std::string Script(const std::string& script) {
    return "/bin/sh \"" + Write(script, 0600, "a script.sh") + "\"";
  }
  Credentials Run(const std::string& command, const Cancellations& cancellations = {}) {
    return RunCredentialProcess(command, environment_, timeout_, cancellations);
  }

  std::chrono::milliseconds timeout_{20'000};
};

TEST_F(CredentialsProcess, ReadsWhatAProgramPrints) {
  const Credentials found = Run(Script(
      "echo '{\"Version\": 1, \"AccessKeyId\": \"ASIA5\", \"SecretAccessKey\": \"s\", "
      "\"SessionToken\": \"t\", \"Expiration\": \"2023-11-15T00:13:20+01:00\"}'; echo hm >&2"));
  EXPECT_EQ(found.access_key_id, "ASIA5");
  EXPECT_EQ(found.session_token, "t");
  EXPECT_EQ(found.expires, environment_.Now() + std::chrono::hours(1));
  const Credentials lasting =
      Run(Script("echo '{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"s\"}'"));
  EXPECT_FALSE(lasting.expires);
  EXPECT_EQ(lasting.session_token, "");
}

TEST_F(CredentialsProcess, TheProgramSeesWhereThingsAreAndNoKeys) {
  environment_.variables = {{"HOME", "/home/me"},
                            {"AWS_REGION", "r1"},
                            {"AWS_PROFILE", "p"},
                            {"AWS_ACCESS_KEY_ID", "hush"}};
  const Credentials found = Run(
      Script("echo \"{\\\"Version\\\": 1, \\\"AccessKeyId\\\": \\\"A\\\", \\\"SecretAccessKey\\\": "
             "\\\"$HOME,$AWS_REGION,$AWS_PROFILE,$AWS_ACCESS_KEY_ID\\\"}\""));
  EXPECT_EQ(found.secret_access_key, "/home/me,r1,,");
}

TEST_F(CredentialsProcess, AFailureNamesTheProgramAndNoSecret) {
  const auto failure = [&](const std::string& command) {
    Error error = ErrorOf([&] { Run(command); });
    EXPECT_EQ(AllOf(error).find("hush"), std::string::npos) << AllOf(error);
    EXPECT_NE(error.message().find("credential_process"), std::string::npos) << error.message();
    return error;
  };
  const Error failed = failure(Script("echo hush; echo hush >&2; exit 3") + " hush");
  EXPECT_EQ(failed.kind(), ErrorKind::kDenied);
  EXPECT_NE(failed.message().find("\"/bin/sh\" failed: it exited with status 3"),
            std::string::npos);
  EXPECT_EQ(failure("/nowhere/get hush").kind(), ErrorKind::kNotFound);
  EXPECT_EQ(failure("no-such-program hush").kind(), ErrorKind::kNotFound);
  EXPECT_EQ(failure("\"\" hush").kind(), ErrorKind::kInvalid);
  EXPECT_EQ(failure(Script("echo hush")).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(failure(Script("echo '{\"Version\": 2, \"SecretAccessKey\": \"hush\"}'")).kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(failure(Script("echo '{\"Version\": 1, \"SecretAccessKey\": \"hush\"}'")).kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(failure(Script("while :; do echo hush hush hush hush; done")).kind(),
            ErrorKind::kInvalid);
}

TEST_F(CredentialsProcess, OneThatHangsIsStopped) {
  timeout_ = std::chrono::milliseconds(200);
  const auto begin = std::chrono::steady_clock::now();
  const Error error = ErrorOf([&] { Run("sleep 30"); });
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_NE(error.message().find("took too long"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_F(CredentialsProcess, ACancelStopsIt) {
  Cancellation first, second;
  second.Cancel();
  EXPECT_EQ(ErrorOf([&] { Run("sleep 30", {&first, &second}); }).kind(), ErrorKind::kCancelled);
}

}  // namespace
}  // namespace pgbackup
