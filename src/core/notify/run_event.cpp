#include "core/notify/run_event.h"

#include <fmt/format.h>

#include "core/base/byte_size.h"
#include "core/base/json.h"

namespace pgbackup {
namespace {

// The value of a field as a text; empty when there is none.
std::string FieldText(const RunEvent& event, std::string_view name) {
  if (name == "headline") return Headline(event);
  if (name == "text") return EventText(event);
  const boost::json::value* value = event.fields.if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return std::string(value->get_string());
  return boost::json::serialize(*value);
}

bool IsFieldName(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos;
}

// Names that stand for nothing when the event has no such field.
bool IsKnown(std::string_view name, const RunEvent& event) {
  for (const std::string_view known : {"headline",  "text",       "kind",        "id",
                                       "status",    "database",   "backup_id",   "target_database",
                                       "mode",      "schedule",   "label",       "storage",
                                       "file_size", "started_at", "finished_at", "message",
                                       "hint",      "cluster",    "environment", "seconds"})
    if (name == known) return true;
  return event.fields.contains(name);
}

std::string EscapedForJson(const std::string& text) {
  const std::string quoted = boost::json::serialize(JsonText(std::string_view(text)));
  return quoted.substr(1, quoted.size() - 2);
}

std::string What(const RunEvent& event, const JsonReader& reader) {
  const std::string mode = reader.TextOr("mode", "");
  if (mode == "verify") return "verification";
  if (mode == "undo") return "undo";
  if (mode == "dry_run") return "dry run of restore";
  return event.kind;
}

std::string_view StatusInWords(const std::string& status) {
  if (status == "in_progress") return "has started";
  if (status == "cancelled") return "was cancelled";
  return status;
}

}  // namespace

RunEvent ReadRunEvent(const boost::json::object& fields) {
  const JsonReader reader(fields, "the event");
  RunEvent event;
  event.kind = reader.Text("kind");
  event.status = reader.Text("status");
  event.database = reader.TextOr("database", "");
  event.cluster = reader.TextOr("cluster", "");
  event.environment = reader.TextOr("environment", "");
  event.message = reader.TextOr("message", "");
  event.hint = reader.TextOr("hint", "");
  event.fields = fields;
  return event;
}

std::string Headline(const RunEvent& event) {
  const JsonReader reader(event.fields, "the event");
  std::string line = fmt::format("{} {}", What(event, reader), reader.IntegerOr("id", 0));
  if (event.kind == "copy") line += fmt::format(" of backup {}", reader.IntegerOr("backup_id", 0));
  if (!event.database.empty()) line += fmt::format(" of database \"{}\"", event.database);
  if (!event.cluster.empty()) line += " on " + event.cluster;
  if (!event.environment.empty()) line += fmt::format(" ({})", event.environment);
  return fmt::format("{} {}", line, StatusInWords(event.status));
}

std::string EventText(const RunEvent& event) {
  const JsonReader reader(event.fields, "the event");
  std::string text = Headline(event);
  if (!event.message.empty()) text += "\n" + event.message;
  if (!event.hint.empty()) text += "\nHint: " + event.hint;
  if (event.status == "completed" && reader.Has("file_size"))
    text += "\nSize: " + InByteUnits(reader.Size("file_size"));
  if (reader.Has("seconds")) text += fmt::format("\nDuration: {} s", reader.Size("seconds"));
  return text;
}

std::string FillTemplate(std::string_view text, const RunEvent& event) {
  std::string filled;
  while (!text.empty()) {
    const size_t open = text.find('{');
    filled += text.substr(0, open);
    if (open == std::string_view::npos) break;
    text.remove_prefix(open);
    const size_t close = text.find('}');
    const std::string_view name =
        close == std::string_view::npos ? std::string_view() : text.substr(1, close - 1);
    if (IsFieldName(name) && IsKnown(name, event)) {
      filled += EscapedForJson(FieldText(event, name));
      text.remove_prefix(close + 1);
    } else {
      filled += '{';
      text.remove_prefix(1);
    }
  }
  return filled;
}

}  // namespace pgbackup
