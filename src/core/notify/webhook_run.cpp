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
  int64_t id;
  bool is_dropped;                   // it cannot be sent, however often that is tried
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
    for (const RunNotice& notice : job.notices) {
      deliveries_.push_back({{}, notice.id, false, notice.reached});
      try {
        deliveries_.back().event = ReadRunEvent(notice.event);
      } catch (const Error& error) {
        Drop(&deliveries_.back(), error);
      }
    }
  }

  RunOutcome Send();

 private:
  std::vector<std::string> ReadUrls() const;
  void SendTo(const std::string& url);
  void Drop(Delivery* delivery, const Error& error);
  void Call(const std::string& url, Delivery* delivery);
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

// One that cannot be written is no reason to keep those behind it.
void Sender::Drop(Delivery* delivery, const Error& error) {
  delivery->is_dropped = true;
  context_.log(fmt::format("notification {} is dropped: {}", delivery->id, error.message()));
}

void Sender::Call(const std::string& url, Delivery* delivery) {
  const RunEvent& event = delivery->event;
  std::optional<WebhookCall> call;
  try {
    call = MakeWebhookCall(format_, url, job_.body_template, event);
  } catch (const Error& error) {
    Drop(delivery, error);
  }
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
      if (delivery.is_dropped || HasMark(delivery.reached, mark)) continue;
      Call(url, &delivery);
      delivery.reached.push_back(mark);
    }
  } catch (const Error& error) {
    if (failure_.empty()) failure_ = error.message();
  }
}

RunOutcome Sender::Outcome() const {
  RunOutcome outcome;
  boost::json::array notices;
  for (const Delivery& delivery : deliveries_) {
    const bool has_reached_all =
        !urls_.empty() && std::all_of(urls_.begin(), urls_.end(), [&](const std::string& url) {
          return HasMark(delivery.reached, MarkOf(url));
        });
    const bool done = delivery.is_dropped || has_reached_all;
    notices.push_back(boost::json::object{
        {"id", delivery.id}, {"done", done}, {"reached", JsonTexts(delivery.reached)}});
  }
  outcome.fields["notices"] = std::move(notices);
  outcome.fields["failure"] =
      failure_.empty() ? boost::json::value(nullptr) : JsonText(std::string_view(failure_));
  return outcome;
}

RunOutcome Sender::Send() {
  try {
    CheckWebhookTemplate(format_, job_.body_template);
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
