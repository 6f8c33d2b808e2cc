#include "pg/agent_event.h"

namespace pgbackup {
namespace {

JsonbValue* Find(Jsonb* object, const char* key, JsonbValue* result) {
  return getKeyJsonValueFromContainer(&object->root, key, static_cast<int>(strlen(key)), result);
}

void CopyText(Jsonb* object, const char* key, char* out, size_t size) {
  JsonbValue value;
  out[0] = '\0';
  if (Find(object, key, &value) == nullptr || value.type != jbvString) return;
  // Cut at a character's boundary.
  const int length =
      pg_mbcliplen(value.val.string.val, value.val.string.len, static_cast<int>(size) - 1);
  memcpy(out, value.val.string.val, static_cast<size_t>(length));
  out[length] = '\0';
}

int64 Number(Jsonb* object, const char* key) {
  JsonbValue value;
  if (Find(object, key, &value) == nullptr || value.type != jbvNumeric) return 0;
  return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value.val.numeric)));
}

bool Truth(Jsonb* object, const char* key) {
  JsonbValue value;
  return Find(object, key, &value) != nullptr && value.type == jbvBool && value.val.boolean;
}

EventKind KindOf(const char* name) {
  if (strcmp(name, "progress") == 0) return EventKind::kProgress;
  if (strcmp(name, "stored") == 0) return EventKind::kStored;
  if (strcmp(name, "completed") == 0) return EventKind::kCompleted;
  if (strcmp(name, "failed") == 0) return EventKind::kFailed;
  if (strcmp(name, "cancelled") == 0) return EventKind::kCancelled;
  return EventKind::kUnknown;
}

void Parse(const char* line, AgentEvent* event) {
  Jsonb* object = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(line)));
  if (!JB_ROOT_IS_OBJECT(object)) return;
  char name[16];
  CopyText(object, "event", name, sizeof name);
  CopyText(object, "phase", event->phase, sizeof event->phase);
  event->raw_bytes = Number(object, "raw_bytes");
  event->stored_bytes = Number(object, "stored_bytes");
  event->total_bytes = Number(object, "total_bytes");
  event->cleaned = Truth(object, "cleaned");
  event->retry = Truth(object, "retry");
  event->kind = KindOf(name);
}

}  // namespace

AgentEvent ReadEvent(const char* line) {
  MemoryContext context = CurrentMemoryContext;
  AgentEvent event = {};
  PG_TRY();
  { Parse(line, &event); }
  PG_CATCH();
  {
    // Not JSON, or a number no bigint holds: the line is not one of ours.
    MemoryContextSwitchTo(context);
    FlushErrorState();
    event.kind = EventKind::kUnknown;
  }
  PG_END_TRY();
  return event;
}

}  // namespace pgbackup
