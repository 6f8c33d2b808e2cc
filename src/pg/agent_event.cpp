#include "pg/agent_event.h"

namespace pgbackup {
namespace {

JsonbValue* Find(Jsonb* object, const char* key, JsonbValue* result) {
  return getKeyJsonValueFromContainer(&object->root, key, static_cast<int>(strlen(key)), result);
}

// Cut at a character's boundary; empty when it is no text.
void CopyText(const JsonbValue* value, char* out, size_t size) {
  out[0] = '\0';
  if (value == nullptr || value->type != jbvString) return;
  const int length =
      pg_mbcliplen(value->val.string.val, value->val.string.len, static_cast<int>(size) - 1);
  memcpy(out, value->val.string.val, static_cast<size_t>(length));
  out[length] = '\0';
}

void CopyText(Jsonb* object, const char* key, char* out, size_t size) {
  JsonbValue value;
  CopyText(Find(object, key, &value), out, size);
}

int64 Number(Jsonb* object, const char* key) {
  JsonbValue value;
  if (Find(object, key, &value) == nullptr || value.type != jbvNumeric) return 0;
  return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value.val.numeric)));
}

// Microseconds since 1970, as the rest of the world counts them; 0 when there are none.
TimestampTz Time(Jsonb* object, const char* key) {
  const int64 microseconds = Number(object, key);
  if (microseconds == 0) return 0;
  return microseconds - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

// An array's elements; nullptr when it is none.
JsonbContainer* ArrayIn(const JsonbValue* value) {
  if (value == nullptr || value->type != jbvBinary) return nullptr;
  return JsonContainerIsArray(value->val.binary.data) ? value->val.binary.data : nullptr;
}

// An array of [schema, name].
void ReadTables(Jsonb* object, AgentProgress* progress) {
  JsonbValue value;
  progress->knows_tables = Find(object, "tables_total", &value) != nullptr;
  progress->tables_done = Number(object, "tables_done");
  progress->tables_total = Number(object, "tables_total");
  JsonbContainer* tables = ArrayIn(Find(object, "current_tables", &value));
  if (tables == nullptr) return;
  const uint32 count = Min(JsonContainerSize(tables), static_cast<uint32>(kMaxCurrentTables));
  for (uint32 i = 0; i < count; ++i) {
    JsonbContainer* parts = ArrayIn(getIthJsonbValueFromContainer(tables, i));
    if (parts == nullptr) continue;
    TableName* table = &progress->current[progress->current_count++];
    CopyText(getIthJsonbValueFromContainer(parts, 0), NameStr(table->schema), NAMEDATALEN);
    CopyText(getIthJsonbValueFromContainer(parts, 1), NameStr(table->name), NAMEDATALEN);
  }
}

void ReadFigures(Jsonb* object, AgentProgress* progress) {
  CopyText(object, "phase", progress->phase, sizeof progress->phase);
  progress->raw_bytes = Number(object, "raw_bytes");
  progress->stored_bytes = Number(object, "stored_bytes");
  progress->total_bytes = Number(object, "total_bytes");
  progress->idle_seconds = Number(object, "idle_seconds");
  progress->data_began = Time(object, "data_began");
  progress->data_ended = Time(object, "data_ended");
  ReadTables(object, progress);
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
  const EventKind kind = KindOf(name);
  if (kind == EventKind::kProgress) ReadFigures(object, &event->progress);
  event->cleaned = Truth(object, "cleaned");
  event->retry = Truth(object, "retry");
  event->kind = kind;
}

}  // namespace

const char* AgentText(const char* utf8) {
  const int length = static_cast<int>(strlen(utf8));
  const int encoding = GetDatabaseEncoding();
  const Oid conversion = FindDefaultConversionProc(PG_UTF8, encoding);
  // None is needed, or there is none, which the server tells.
  if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII || !OidIsValid(conversion))
    return pg_any_to_server(utf8, length, PG_UTF8);
  unsigned char* rest = reinterpret_cast<unsigned char*>(pstrdup(utf8));
  const unsigned char* end = rest + length;
  const size_t size = static_cast<size_t>(length + 1) * MAX_CONVERSION_GROWTH + 1;
  char* text = static_cast<char*>(MemoryContextAllocHuge(CurrentMemoryContext, size));
  char* out = text;
  for (;;) {
    rest += pg_do_encoding_conversion_buf(
        conversion, PG_UTF8, encoding, rest, static_cast<int>(end - rest),
        reinterpret_cast<unsigned char*>(out), static_cast<int>(text + size - out), true);
    out += strlen(out);
    if (rest >= end) return text;
    *out++ = '?';
    rest += Min(pg_encoding_mblen(PG_UTF8, reinterpret_cast<char*>(rest)), end - rest);
  }
}

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
