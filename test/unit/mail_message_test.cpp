#include "core/notify/mail_message.h"

#include <gtest/gtest.h>

#include "core/base/base64.h"
#include "core/base/error.h"
#include "core/notify/smtp.h"
#include "shared/email_address.h"

namespace pgbackup {
namespace {

MailMessage SomeMail() {
  return {"pg@example.com", {"a@example.com", "b@example.org"},        "plain",
          "text\n",         WallTime(std::chrono::seconds(880106106)), "pgbackup.1"};
}

// The text of the encoded words of a header.
std::string Decoded(std::string_view header) {
  std::string text;
  for (size_t at = header.find("=?UTF-8?B?"); at != std::string_view::npos;
       at = header.find("=?UTF-8?B?", at + 1)) {
    const std::string_view word = header.substr(at + 10);
    const auto bytes = FromBase64(word.substr(0, word.find("?=")));
    EXPECT_TRUE(bytes);
    for (const std::byte b : bytes.value_or(std::vector<std::byte>{})) text += static_cast<char>(b);
  }
  return text;
}

TEST(MailMessage, HasHeadersAndABodyInBase64) {
  EXPECT_EQ(FormatMail(SomeMail()),
            "From: pg@example.com\r\nTo: a@example.com,\r\n b@example.org\r\nSubject: plain\r\n"
            "Date: Fri, 21 Nov 1997 09:55:06 +0000\r\nMessage-ID: <pgbackup.1@example.com>\r\n"
            "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            "dGV4dAo=\r\n");
}

TEST(MailMessage, LetsNoTextAddAHeader) {
  MailMessage mail = SomeMail();
  mail.subject = "x\r\nBcc: evil@example.com\n\nbody";
  const std::string text = FormatMail(mail);
  EXPECT_NE(text.find("Subject: x  Bcc: evil@example.com  body\r\nDate: "), std::string::npos);
  mail.body = ".\r\nMAIL FROM:<x>\r\n";
  EXPECT_EQ(FormatMail(mail).find("MAIL FROM"), std::string::npos);
}

TEST(MailMessage, EncodesSubjectsThatNeedIt) {
  EXPECT_EQ(EncodedSubject("a [b] ~"), "a [b] ~");
  for (const std::string& subject :
       {std::string("Sicherung für größere Häuser: ") + "äöü€𝄞" + " ä", std::string(200, 'x'),
        std::string("=?a?="), std::string("ü\tü")}) {
    const std::string encoded = EncodedSubject(subject);
    std::string expected = subject;
    if (const size_t tab = expected.find('\t'); tab != std::string::npos) expected[tab] = ' ';
    EXPECT_EQ(Decoded(encoded), expected);
    for (size_t at = 0; at < encoded.size();) {
      const size_t end = std::min(encoded.find("\r\n", at), encoded.size());
      EXPECT_LE(end - at, 76u) << encoded;
      at = end + 2;
    }
  }
  EXPECT_EQ(Decoded(EncodedSubject("\xff")), "\xef\xbf\xbd");
}

TEST(MailMessage, WrapsItsBody) {
  MailMessage mail = SomeMail();
  mail.body = std::string(1000, 'x');
  const std::string text = FormatMail(mail);
  for (size_t at = 0; at < text.size(); at = text.find("\r\n", at) + 2)
    EXPECT_LE(text.find("\r\n", at) - at, 76u);
}

TEST(EmailAddress, IsLocalAtDomain) {
  for (const char* good : {"a@b", "dba+x@mail.example.com", "x_y@z"})
    EXPECT_TRUE(IsEmailAddress(good)) << good;
  for (const char* bad : {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nRCPT TO:<x>", "<a@b>",
                          "\"a\"@b", "a@b,c@d", "ü@b", "-f@x", "a@b;c", "a\\@b"})
    EXPECT_FALSE(IsEmailAddress(bad)) << bad;
}

TEST(EmailAddress, ListsAreSeparatedByCommas) {
  std::vector<std::string> taken;
  const auto take = [&](std::string_view address) { taken.emplace_back(address); };
  EXPECT_TRUE(ForEachAddress("a@b , c@d", take));
  EXPECT_EQ(taken, (std::vector<std::string>{"a@b", "c@d"}));
  for (const char* bad : {"", "a@b,", ",a@b", "a@b c@d"})
    EXPECT_FALSE(ForEachAddress(bad, [](auto) {})) << bad;
}

TEST(SmtpServer, IsReadFromLines) {
  const SmtpServer server = ParseSmtpServer(
      "# mail\nurl=smtps://m:465\r\nuser = me\npassword = a = #b\nfrom = x@y\nca_file=/ca\n", "/f");
  EXPECT_EQ(server.url, "smtps://m:465");
  EXPECT_EQ(server.user, "me");
  EXPECT_EQ(server.password, "a = #b");
  EXPECT_EQ(server.from, "x@y");
  EXPECT_EQ(server.ca_file, "/ca");
  EXPECT_TRUE(server.tls);
  EXPECT_FALSE(ParseSmtpServer("url=smtp://m\nfrom=x@y\ntls=off", "/f").tls);
}

TEST(SmtpServer, BadLinesAreNamedAndNotTold) {
  const struct {
    const char *text, *message;
  } cases[] = {
      {"url=smtp://m\nfrom=a@b\nsecret", "line 3 of \"/f\" cannot be understood"},
      {"url=http://secret", "line 1 of \"/f\" cannot be understood"},
      {"url=smtp://me:secret@m", "line 1 of \"/f\" cannot be understood"},
      {"from=secret", "line 1 of \"/f\" cannot be understood"},
      {"tls=secret", "line 1 of \"/f\" cannot be understood"},
      {"pass=secret", "line 1 of \"/f\" cannot be understood"},
      {"from=a@b\npassword=secret", "\"/f\" lacks url"},
      {"url=smtp://m\npassword=secret", "\"/f\" lacks from"},
  };
  for (const auto& each : cases) {
    try {
      ParseSmtpServer(each.text, "/f");
      ADD_FAILURE() << each.text;
    } catch (const Error& error) {
      EXPECT_EQ(error.message(), each.message);
    }
  }
}

}  // namespace
}  // namespace pgbackup
