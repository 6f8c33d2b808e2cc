#include "core/notify/webhook_call.h"

#include <fmt/format.h>

#include "core/base/config_lines.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/utf8.h"

namespace pgbackup {
namespace {

namespace json = boost::json;

constexpr size_t kLongestChatText = 1900;  // bytes; Discord takes 2000 characters
constexpr size_t kLongestPing = 10000;

std::string ReplacedAll(std::string text, std::string_view what, std::string_view by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

// Slack reads &, < and > as markup: <!channel> would call everybody.
std::string ForSlack(const std::string& text) {
  return ReplacedAll(ReplacedAll(ReplacedAll(text, "&", "&amp;"), "<", "&lt;"), ">", "&gt;");
}

// A zero-width space keeps @channel and @all from calling anybody.
std::string WithoutMentions(const std::string& text) {
  return ReplacedAll(text, "@", "@\u200b");
}

json::value ChatText(const std::string& text) {
  return JsonText(CutUtf8(text, kLongestChatText));
}

json::object TeamsCard(const std::string& text) {
  // Runs of text are shown as they are; a TextBlock would read Markdown.
  json::array inlines = {
      json::object{{"type", "TextRun"}, {"text", JsonText(CutUtf8(text, kLongestChatText))}}};
  const json::object content = {
      {"type", "AdaptiveCard"},
      {"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
      {"version", "1.4"},
      {"body",
       json::array{json::object{{"type", "RichTextBlock"}, {"inlines", std::move(inlines)}}}}};
  return {{"type", "message"},
          {"attachments",
           json::array{json::object{{"contentType", "application/vnd.microsoft.card.adaptive"},
                                    {"content", content}}}}};
}

json::object ChatBody(WebhookFormat format, const RunEvent& event) {
  const std::string text = EventText(event);
  switch (format) {
    case WebhookFormat::kSlack:
      return {{"text", ChatText(ForSlack(text))}};
    case WebhookFormat::kMattermost:
      return {{"text", ChatText(WithoutMentions(text))}};
    case WebhookFormat::kDiscord:
      return {{"content", ChatText(text)},
              {"allowed_mentions", json::object{{"parse", json::array{}}}}};
    case WebhookFormat::kTeams:
      return TeamsCard(text);
    default:
      break;
  }
  json::object body = event.fields;
  body["text"] = JsonText(std::string_view(text));
  return body;
}

// The URL with `suffix` at the end of its path.
std::string WithPathSuffix(const std::string& url, std::string_view suffix) {
  const size_t query = std::min(url.find('?'), url.size());
  std::string path = url.substr(0, query);
  while (!suffix.empty() && path.back() == '/') path.pop_back();
  return path.append(suffix) + url.substr(query);
}

std::optional<WebhookCall> Ping(const std::string& url, const RunEvent& event) {
  if (event.kind != "backup") return std::nullopt;
  std::string_view suffix = "/fail";
  if (event.status == "completed") suffix = "";
  if (event.status == "in_progress") suffix = "/start";
  return WebhookCall{WithPathSuffix(url, suffix), "text/plain; charset=utf-8",
                     ToValidUtf8(CutUtf8(EventText(event), kLongestPing))};
}

}  // namespace

WebhookFormat ParseWebhookFormat(const std::string& name) {
  if (name == "json") return WebhookFormat::kJson;
  if (name == "slack") return WebhookFormat::kSlack;
  if (name == "mattermost") return WebhookFormat::kMattermost;
  if (name == "discord") return WebhookFormat::kDiscord;
  if (name == "teams") return WebhookFormat::kTeams;
  if (name == "healthchecks") return WebhookFormat::kHealthchecks;
  if (name == "template") return WebhookFormat::kTemplate;
  throw Error(ErrorKind::kInvalid, fmt::format("there is no format of webhooks \"{}\"", name));
}

void CheckWebhookTemplate(WebhookFormat format, std::string_view body_template) {
  if (format == WebhookFormat::kTemplate && body_template.empty())
    throw Error(ErrorKind::kInvalid, "pgbackup.webhook_template is empty", {},
                "Set it, or choose another pgbackup.webhook_format.");
}

std::optional<WebhookCall> MakeWebhookCall(WebhookFormat format, const std::string& url,
                                           std::string_view body_template, const RunEvent& event) {
  if (format == WebhookFormat::kHealthchecks) return Ping(url, event);
  if (event.status == "in_progress") return std::nullopt;
  constexpr const char* kJsonType = "application/json";
  if (format != WebhookFormat::kTemplate)
    return WebhookCall{url, kJsonType, json::serialize(ChatBody(format, event))};
  return WebhookCall{url, kJsonType, FillTemplate(body_template, event)};
}

std::vector<std::string> ParseWebhookUrls(std::string_view text, const std::string& path) {
  std::vector<std::string> urls;
  ConfigLines lines(text);
  for (std::string_view line; lines.Next(&line);) {
    const bool is_http = line.substr(0, 7) == "http://" || line.substr(0, 8) == "https://";
    bool is_clean = true;
    for (const char c : line) is_clean &= c > ' ' && c < '\x7f';
    if (!is_http || !is_clean || WebhookOrigin(std::string(line)).back() == '/')
      throw Error(
          ErrorKind::kInvalid, fmt::format("line {} of \"{}\" is not a URL", lines.number(), path),
          {}, "Write one URL a line, https://… or http://…, with odd characters percent-encoded.");
    urls.emplace_back(line);
  }
  if (urls.empty())
    throw Error(ErrorKind::kInvalid, fmt::format("\"{}\" has no URL in it", path), {},
                "Write the URL of the webhook into its first line.");
  return urls;
}

std::string WebhookOrigin(const std::string& url) {
  const size_t host = std::min(url.find("://"), url.size() - std::min<size_t>(3, url.size())) + 3;
  const size_t end = std::min(url.find_first_of("/?#", host), url.size());
  const size_t user = url.substr(0, end).rfind('@');
  const size_t begin = user == std::string::npos || user < host ? host : user + 1;
  return url.substr(0, host) + url.substr(begin, end - begin);
}

}  // namespace pgbackup
