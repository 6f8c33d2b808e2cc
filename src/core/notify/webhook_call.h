// What is sent to a webhook: pure functions from an event to a request, for each format.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/notify/run_event.h"

namespace pgbackup {

enum class WebhookFormat {
  kJson,          // the event as it is, and "text" for people
  kSlack,         // also Rocket.Chat and Google Chat
  kMattermost,    //
  kDiscord,       //
  kTeams,         // an Adaptive Card, as Workflows of Teams take it
  kHealthchecks,  // URL/start, URL, URL/fail with the text as body
  kTemplate,      // pgbackup.webhook_template, filled in
};

// kInvalid for other names than those of pgbackup.webhook_format.
WebhookFormat ParseWebhookFormat(const std::string& name);

struct WebhookCall {
  std::string url;
  std::string content_type;
  std::string body;
};

// kInvalid when the format is a template and `body_template` empty.
void CheckWebhookTemplate(WebhookFormat format, std::string_view body_template);

// nullopt when the format has nothing to say about the event: only healthchecks are told of starts,
// and of nothing but backups. kInvalid for an event that cannot be written.
std::optional<WebhookCall> MakeWebhookCall(WebhookFormat format, const std::string& url,
                                           std::string_view body_template, const RunEvent& event);

// The URLs of a file: one a line, # begins a comment. kInvalid, naming the line but never what it
// says, when one is not http:// or https://, or when there is none.
std::vector<std::string> ParseWebhookUrls(std::string_view text, const std::string& path);

// Scheme and host of a URL: what of it may be told. The rest is often a secret.
std::string WebhookOrigin(const std::string& url);

}  // namespace pgbackup
