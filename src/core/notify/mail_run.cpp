#include "core/notify/mail_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/sha256.h"
#include "core/base/small_file.h"
#include "core/notify/delivery.h"
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

// The addresses, each once.
std::vector<TargetReport> AddresseesOf(const MailJob& job) {
  std::vector<TargetReport> all;
  for (const std::string& address : job.recipients)
    if (std::none_of(all.begin(), all.end(),
                     [&](const TargetReport& other) { return other.target == address; }))
      all.push_back({address, address});
  return all;
}

// Notes what became of a notice for an address.
void Note(const RunNotice& notice, const RecipientAnswer& answer, TargetReport* addressee) {
  switch (answer.fate) {
    case RecipientFate::kTaken:
      addressee->told.push_back(notice.id);
      break;
    case RecipientFate::kRefused:
      addressee->refused.push_back(notice.id);
      addressee->refusal = answer.words;
      break;
    case RecipientFate::kFailed:
      addressee->failure = answer.words;
      break;
    case RecipientFate::kNotTried:
      break;
  }
}

class Mailing {
 public:
  Mailing(const MailJob& job, const RunContext& context)
      : job_(job), context_(context), report_{AddresseesOf(job)} {}

  RunOutcome SendAll();

 private:
  // The text to send; none when it cannot be written, however often that is tried.
  std::optional<std::string> TextOf(const RunNotice& notice, const std::string& from);
  // False when the notices after it have to wait.
  bool Send(const SmtpServer& server, const RunNotice& notice);

  const MailJob& job_;
  const RunContext& context_;
  DeliveryReport report_;
};

std::optional<std::string> Mailing::TextOf(const RunNotice& notice, const std::string& from) {
  try {
    return FormatMail(MessageOf(ReadRunEvent(notice.event), from, job_, context_.environment));
  } catch (const Error& error) {
    report_.dropped.push_back({notice.id, error.message()});
    return std::nullopt;
  }
}

bool Mailing::Send(const SmtpServer& server, const RunNotice& notice) {
  std::vector<TargetReport*> addressees;
  std::vector<std::string> addresses;
  for (TargetReport& each : report_.targets) {
    // An address that has not got one gets none of those after it.
    if (!each.failure.empty() || !IsFor(notice, each.target)) continue;
    addressees.push_back(&each);
    addresses.push_back(each.target);
  }
  const std::optional<std::string> text = TextOf(notice, server.from);
  if (!text || addresses.empty()) return true;
  const MailAnswer answer = SendMail(server, addresses, *text, context_.cancellation);
  for (size_t i = 0; i < addressees.size(); ++i) Note(notice, answer.recipients[i], addressees[i]);
  report_.failure = answer.failure;
  if (answer.is_refusal) report_.refused = notice.id;
  const auto waits = [](const RecipientAnswer& each) {
    return each.fate == RecipientFate::kNotTried;
  };
  return std::none_of(answer.recipients.begin(), answer.recipients.end(), waits);
}

RunOutcome Mailing::SendAll() {
  try {
    const SmtpServer server = ReadSmtpServer(job_.smtp_file);
    for (const RunNotice& notice : job_.notices)
      if (!Send(server, notice)) break;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    report_.failure = error.message();
  }
  return OutcomeOf(report_);
}

}  // namespace

RunOutcome RunMail(const MailJob& job, const RunContext& context) {
  try {
    context.progress.SetPhase("notifying");
    return Mailing(job, context).SendAll();
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
