#include "core/notify/webhook_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/json.h"
#include "core/base/sha256.h"
#include "core/base/small_file.h"
#include "core/notify/webhook_call.h"
#include "core/s3/curl_transport.h"

namespace pgbackup {
namespace {

constexpr std::chrono::milliseconds kPatience{10'000};  // for one answer

// What became of a notice.
struct Delivery {
  RunEvent event;
  std::vector<std::string> reached;  // marks of the URLs that have it
};

// Names a URL in the catalog without telling it.
std::string MarkOf(const std::string& url) {
  return ToHex(Sha256::Of(url)).substr(0, 16);
}

bool HasMark(const std::vector<std::string>& marks, const std::string& mark) {
  return std::find(marks.begin(), marks.end(), mark) != marks.end();
}

// An answer that will be the same however often this notice is sent.
bool IsRefusal(int status) {
  return status == 400 || status == 413 || status == 422;
}

class Sender {
 public:
  Sender(const WebhookJob& job, const RunContext& context)
      : job_(job), context_(context), format_(ParseWebhookFormat(job.format)) {
    for (const RunNotice& notice : job.notices)
      deliveries_.push_back({ReadRunEvent(notice.event), notice.reached});
  }

  RunOutcome Send();

 private:
  std::vector<std::string> ReadUrls() const;
  void SendTo(const std::string& url);
  void Call(const std::string& url, const RunEvent& event);
  RunOutcome Outcome() const;

  const WebhookJob& job_;
  const RunContext& context_;
  const WebhookFormat format_;
  CurlTransport transport_;
  std::vector<std::string> urls_;
  std::vector<Delivery> deliveries_;  // of job_.notices
  std::string failure_;               // the first one
};

std::vector<std::string> Sender::ReadUrls() const {
  const std::string failed = fmt::format("could not read the URLs in \"{}\"", job_.url_file);
  const SmallFile file = ReadPrivateFile(job_.url_file, failed, "pgbackup.webhook_url_file");
  return ParseWebhookUrls(file.text, job_.url_file);
}

void Sender::Call(const std::string& url, const RunEvent& event) {
  const std::optional<WebhookCall> call = MakeWebhookCall(format_, url, job_.body_template, event);
  if (!call) return;
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
                fmt::format("no answer of {}: {}", WebhookOrigin(url), error.text()));
  }
  if (response.status >= 200 && response.status < 300) return;
  const std::string answer =
      fmt::format("{} answered with status {}", WebhookOrigin(url), response.status);
  if (!IsRefusal(response.status)) throw Error(ErrorKind::kUnavailable, answer);
  context_.log(fmt::format("{}, so it is not told that {}", answer, Headline(event)));
}

void Sender::SendTo(const std::string& url) {
  const std::string mark = MarkOf(url);
  try {
    for (Delivery& delivery : deliveries_) {
      if (HasMark(delivery.reached, mark)) continue;
      Call(url, delivery.event);
      delivery.reached.push_back(mark);
    }
  } catch (const Error& error) {
    if (failure_.empty()) failure_ = error.message();
  }
}

RunOutcome Sender::Outcome() const {
  RunOutcome outcome;
  boost::json::array notices;
  for (size_t i = 0; i < deliveries_.size(); ++i) {
    const Delivery& delivery = deliveries_[i];
    const bool done =
        !urls_.empty() && std::all_of(urls_.begin(), urls_.end(), [&](const std::string& url) {
          return HasMark(delivery.reached, MarkOf(url));
        });
    notices.push_back(boost::json::object{
        {"id", job_.notices[i].id}, {"done", done}, {"reached", JsonTexts(delivery.reached)}});
  }
  outcome.fields["notices"] = std::move(notices);
  outcome.fields["failure"] =
      failure_.empty() ? boost::json::value(nullptr) : JsonText(std::string_view(failure_));
  return outcome;
}

RunOutcome Sender::Send() {
  try {
    urls_ = ReadUrls();
    for (const std::string& url : urls_) SendTo(url);
  } catch (const TransportError&) {
    context_.cancellation.ThrowIfCancelled();
    throw;
  } catch (const Error& error) {
    failure_ = error.message();
  }
  return Outcome();
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
