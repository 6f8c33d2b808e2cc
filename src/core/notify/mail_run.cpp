#include "core/notify/mail_run.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "core/base/json.h"
#include "core/base/sha256.h"
#include "core/base/small_file.h"
#include "core/notify/mail_message.h"
#include "core/notify/run_event.h"
#include "core/notify/smtp.h"

namespace pgbackup {
namespace {

SmtpServer ReadSmtpServer(const std::string& path) {
  const std::string failed = fmt::format("could not read how mail is sent from \"{}\"", path);
  const SmallFile file = ReadPrivateFile(path, failed, "pgbackup.smtp_file");
  return ParseSmtpServer(file.text, path);
}

MailMessage MessageOf(const RunEvent& event, const std::string& from, const MailJob& job,
                      Environment& environment) {
  std::array<std::byte, 16> random;
  environment.FillRandom(random);
  return {from,
          job.recipients,
          "[pgbackup] " + Headline(event),
          EventText(event) + "\n",
          environment.Now(),
          "pgbackup." + ToHex(random)};
}

// The text to send; none when it cannot be written, however often that is tried.
std::optional<std::string> MailTextOf(const RunNotice& notice, const std::string& from,
                                      const MailJob& job, const RunContext& context) {
  try {
    return FormatMail(MessageOf(ReadRunEvent(notice.event), from, job, context.environment));
  } catch (const Error& error) {
    context.log(fmt::format("notification {} is dropped: {}", notice.id, error.message()));
    return std::nullopt;
  }
}

RunOutcome SendAll(const MailJob& job, const RunContext& context) {
  boost::json::array notices;
  boost::json::value failure = nullptr;
  try {
    const SmtpServer server = ReadSmtpServer(job.smtp_file);
    for (const RunNotice& notice : job.notices) {
      const std::optional<std::string> text = MailTextOf(notice, server.from, job, context);
      if (text) SendMail(server, job.recipients, *text, context.cancellation);
      notices.push_back(boost::json::object{
          {"id", notice.id}, {"done", true}, {"reached", boost::json::array{}}});
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    failure = JsonText(std::string_view(error.message()));
  }
  RunOutcome outcome;
  outcome.fields["notices"] = std::move(notices);
  outcome.fields["failure"] = std::move(failure);
  return outcome;
}

}  // namespace

RunOutcome RunMail(const MailJob& job, const RunContext& context) {
  try {
    context.progress.SetPhase("notifying");
    return SendAll(job, context);
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
