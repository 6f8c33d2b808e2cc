// What the answer of a webhook means: pure functions. A status of 200 to 299 alone is no delivery
// where the service is known to answer so for what it has not taken.
#pragma once

#include <string>

#include "core/http/http.h"
#include "core/notify/webhook_call.h"

namespace pgbackup {

enum class WebhookVerdict {
  kTaken,    // delivered
  kRefused,  // will be refused however often it is sent: 400, 413, 422
  kFailed,   // to be sent again
};

// Of 200 to 299: with healthchecks a text such as "OK (not found)" or "OK (rate limited)" is no
// delivery, with the chats the text in which the service says that it failed, and with all of these
// markup and JSON with "ok" or "success" false. With kJson and kTemplate, whose receivers are
// anything, the status decides.
WebhookVerdict JudgeAnswer(WebhookFormat format, const HttpResponse& response);

// "status 404: "no_service"": the status, and the first words of the body if there are any. They
// are left out when they repeat anything that the path of `url` or what else is secret in it has.
std::string AnswerInWords(const std::string& url, const HttpResponse& response);

}  // namespace pgbackup
