// Reading what an agent says: one JSON object a line (docs/job-protocol.md).
#pragma once

#include "pg/server.h"
#include "pg/shared_state.h"

namespace pgbackup {

enum class EventKind { kUnknown, kProgress, kStored, kCompleted, kFailed, kCancelled };

struct AgentEvent {
  EventKind kind;
  AgentProgress progress;  // progress
  bool cleaned;            // failed, cancelled: nothing of the run is left in storage
  bool retry;              // failed: others use the tables, a later attempt may succeed
};

// What an agent said, which is UTF-8, in the server's encoding. A character that this has not
// becomes a question mark: names come from databases of any encoding. Needs a transaction, for
// conversion looks into the catalog.
const char* AgentText(const char* utf8);

// Reads a line; one that is no JSON object, or none that is known, gives kUnknown. Never raises an
// error. Allocates in the current memory context.
AgentEvent ReadEvent(const char* line);

}  // namespace pgbackup
