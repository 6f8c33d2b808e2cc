// A short question to an agent, asked by the backend that needs the answer.
#pragma once

#include "pg/server.h"

namespace pgbackup {

// Runs an agent with `job` (JSON, UTF-8) and returns its last line, a `completed` event, in the
// server's encoding and the current memory context. Raises an error with the agent's own message,
// detail and hint when it fails, or when it takes longer than `timeout_ms`, which is said of
// `whom`. Interruptible: the agent ends when this function does, however that is, and has five
// seconds to clean up.
char* AskAgent(const char* job, int timeout_ms, const char* whom = "the storage");

}  // namespace pgbackup
