#include "core/notify/webhook_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "core/base/json.h"
#include "core/base/sha256.h"
#include "core/base/small_file.h"
#include "core/http/curl_transport.h"
#include "core/notify/delivery.h"
#include "core/notify/webhook_answer.h"
#include "core/notify/webhook_call.h"

namespace pgbackup {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPatience{10'000};  // for one answer
constexpr std::chrono::milliseconds kTurn{10'000};      // no request to a URL begins after that
constexpr size_t kMostAtOnce = 16;                      // URLs

// Names a URL in the catalog without telling it.
std::string MarkOf(const std::string& url) {
  return ToHex(Sha256::Of(url)).substr(0, 16);
}

struct Hook {
  std::string url;
  TargetReport report;
};

// The URLs, each once. Those of one host are told apart by their place in the file.
std::vector<Hook> HooksOf(const std::vector<std::string>& urls) {
  std::map<std::string, int> of_host;
  for (const std::string& url : urls) ++of_host[WebhookOrigin(url)];
  std::vector<Hook> hooks;
  for (size_t i = 0; i < urls.size(); ++i) {
    if (std::find(urls.begin(), urls.begin() + static_cast<ptrdiff_t>(i), urls[i]) !=
        urls.begin() + static_cast<ptrdiff_t>(i))
      continue;
    std::string name = WebhookOrigin(urls[i]);
    if (of_host[name] > 1) name += fmt::format(" (URL {})", i + 1);
    hooks.push_back({urls[i], {MarkOf(urls[i]), std::move(name)}});
  }
  return hooks;
}

class Sender {
 public:
  Sender(const WebhookJob& job, const RunContext& context)
      : job_(job), context_(context), format_(ParseWebhookFormat(job.format)) {}

  RunOutcome Send();

 private:
  // A notice that can be written.
  struct Message {
    const RunNotice& notice;
    RunEvent event;
  };

  std::vector<std::string> ReadUrls() const;
  void ReadEvents();
  void Call(Hook* hook, const Message& message);
  void SendTo(Hook* hook);
  void SendToAll();

  const WebhookJob& job_;
  const RunContext& context_;
  const WebhookFormat format_;
  CurlTransport transport_;
  std::vector<Message> messages_;
  std::vector<Hook> hooks_;
  DeliveryReport report_;
};

std::vector<std::string> Sender::ReadUrls() const {
  const std::string failed = fmt::format("could not read the URLs in \"{}\"", job_.url_file);
  const SmallFile file = ReadPrivateFile(job_.url_file, failed, "pgbackup.webhook_url_file");
  return ParseWebhookUrls(file.text, job_.url_file);
}

// One that cannot be put into words is no reason to keep those behind it.
void Sender::ReadEvents() {
  for (const RunNotice& notice : job_.notices) {
    try {
      RunEvent event = ReadRunEvent(notice.event);
      (void)EventText(event);
      messages_.push_back({notice, std::move(event)});
    } catch (const Error& error) {
      report_.dropped.push_back({notice.id, error.message()});
    }
  }
}

void Sender::Call(Hook* hook, const Message& message) {
  TargetReport& report = hook->report;
  std::optional<WebhookCall> call;
  try {
    call = MakeWebhookCall(format_, hook->url, job_.body_template, message.event);
  } catch (const Error& error) {
    report.refused.push_back(message.notice.id);
    report.refusal = error.message();
    return;
  }
  if (!call) return report.told.push_back(message.notice.id);
  HttpRequest request;
  request.method = "POST";
  request.url = call->url;
  request.headers = {{"Content-Type", call->content_type}, {"User-Agent", "pgbackup"}};
  request.body = AsBytes(call->body);
  request.stall_timeout = request.timeout = kPatience;
  request.cancellations = {&context_.cancellation};
  HttpResponse response;
  try {
    response = transport_.Perform(request);
  } catch (const TransportError& error) {
    if (error.failure() == TransportFailure::kCancelled) throw;
    throw Error(ErrorKind::kUnavailable,
                fmt::format("no answer of {}: {}", report.name, error.text()));
  }
  const WebhookVerdict verdict = JudgeAnswer(format_, response);
  if (verdict == WebhookVerdict::kTaken) return report.told.push_back(message.notice.id);
  const bool is_good_status = response.status >= 200 && response.status < 300;
  const std::string answer =
      fmt::format("{} answered with {}{}", report.name, AnswerInWords(hook->url, response),
                  is_good_status ? ", which is no delivery" : "");
  if (verdict == WebhookVerdict::kFailed) throw Error(ErrorKind::kUnavailable, answer);
  report.refused.push_back(message.notice.id);
  report.refusal = answer;
}

void Sender::SendTo(Hook* hook) {
  const Clock::time_point end = Clock::now() + kTurn;
  try {
    for (const Message& message : messages_) {
      if (!IsFor(message.notice, hook->report.target)) continue;
      if (Clock::now() >= end) return;
      Call(hook, message);
    }
  } catch (const Error& error) {
    hook->report.failure = error.message();
  }
}

// All URLs side by side, so that one that hangs keeps none waiting.
void Sender::SendToAll() {
  std::atomic<size_t> next{0};
  std::vector<std::exception_ptr> thrown(std::min(hooks_.size(), kMostAtOnce));
  std::vector<std::thread> threads;
  const auto work = [&](std::exception_ptr* what) {
    try {
      for (size_t i = next++; i < hooks_.size(); i = next++) SendTo(&hooks_[i]);
    } catch (...) {
      *what = std::current_exception();
    }
  };
  // The first one's work is done here.
  for (size_t i = 1; i < thrown.size(); ++i) {
    try {
      threads.emplace_back(work, &thrown[i]);
    } catch (const std::system_error&) {
      break;  // fewer at a time
    }
  }
  work(&thrown[0]);
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& what : thrown)
    if (what) std::rethrow_exception(what);
}

RunOutcome Sender::Send() {
  try {
    CheckWebhookTemplate(format_, job_.body_template);
    hooks_ = HooksOf(ReadUrls());
    ReadEvents();
    SendToAll();
  } catch (const TransportError&) {
    context_.cancellation.ThrowIfCancelled();
    throw;
  } catch (const Error& error) {
    report_.failure = error.message();
  }
  for (Hook& hook : hooks_) report_.targets.push_back(std::move(hook.report));
  return OutcomeOf(report_);
}

}  // namespace

RunOutcome RunWebhook(const WebhookJob& job, const RunContext& context) {
  try {
    context.progress.SetPhase("notifying");
    return Sender(job, context).Send();
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
