#include "core/job/events.h"

#include "core/base/json.h"
#include "core/base/timestamp.h"

namespace pgbackup {

namespace json = boost::json;

namespace {

// As many as the launcher shows.
constexpr size_t kMostTables = 16;

int64_t Microseconds(WallTime time) {
  return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}

void AddDataPhase(const Progress::DataPhase& data, json::object* event) {
  if (data.began) (*event)["data_began"] = Microseconds(*data.began);
  if (data.ended) (*event)["data_ended"] = Microseconds(*data.ended);
}

void AddTables(const TableProgress::State& tables, json::object* event) {
  (*event)["tables_done"] = tables.done;
  (*event)["tables_total"] = tables.total;
  json::array current;
  for (const QualifiedName& table : tables.current) {
    if (current.size() == kMostTables) break;
    current.push_back(json::array{JsonText(std::string_view(table.schema)),
                                  JsonText(std::string_view(table.name))});
  }
  (*event)["current_tables"] = std::move(current);
}

json::value TextOrNull(const std::string& text) {
  return text.empty() ? json::value(nullptr) : JsonText(std::string_view(text));
}

}  // namespace

json::object ErrorFields(const Error& error) {
  json::object event;
  event["message"] = JsonText(std::string_view(error.message()));
  event["detail"] = TextOrNull(error.detail());
  event["hint"] =
      error.hint().empty() ? DefaultHint(error.kind()) : JsonText(std::string_view(error.hint()));
  event["sqlstate"] = error.sqlstate();
  event["kind"] = KindName(error.kind());
  return event;
}

json::object SignFields(const StorageSigns& signs) {
  json::object fields;
  if (signs.clock_skew) fields["clock_skew"] = signs.clock_skew->count();
  if (signs.credentials_end)
    fields["credentials_expire_at"] = FormatTimestamp(*signs.credentials_end);
  return fields;
}

std::string ProgressEvent(const Progress& progress, std::chrono::seconds idle) {
  json::object event;
  event["event"] = "progress";
  event["phase"] = JsonText(std::string_view(progress.phase()));
  event["raw_bytes"] = progress.raw_bytes.load();
  event["stored_bytes"] = progress.stored_bytes.load();
  event["total_bytes"] = progress.total_bytes.load();
  if (idle.count() > 0) event["idle_seconds"] = idle.count();
  AddDataPhase(progress.data(), &event);
  if (const auto tables = progress.tables.Now()) AddTables(*tables, &event);
  return json::serialize(event);
}

std::string StoredEvent(const json::object& fields) {
  json::object event;
  event["event"] = "stored";
  for (const auto& field : fields) event[field.key()] = field.value();
  return json::serialize(event);
}

std::string FinalEvent(const RunOutcome& outcome) {
  json::object event;
  if (outcome.state == RunState::kCompleted) {
    event["event"] = "completed";
  } else if (outcome.state == RunState::kCancelled) {
    event["event"] = "cancelled";
    event["cleaned"] = outcome.cleaned;
  } else {
    event["event"] = "failed";
    for (const auto& field :
         ErrorFields(outcome.error.value_or(Error(ErrorKind::kInternal, "unknown failure"))))
      event[field.key()] = field.value();
    event["retry"] = outcome.error && outcome.error->kind() == ErrorKind::kBusy;
    event["cleaned"] = outcome.cleaned;
  }
  for (const auto& field : outcome.fields) event[field.key()] = field.value();
  return json::serialize(event);
}

int ExitCodeOf(const RunOutcome& outcome) noexcept {
  return outcome.state == RunState::kCompleted ? 0 : 1;
}

}  // namespace pgbackup
