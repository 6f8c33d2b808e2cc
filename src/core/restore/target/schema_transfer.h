// Copies one schema from a database of the server into another one, streamed.
#pragma once

#include <string>

#include "core/base/cancellation.h"
#include "core/postgres/server_address.h"
#include "core/process/program.h"

namespace pgbackup {

struct SchemaTransfer {
  ConnectionSettings from, to;
  std::string schema;
  // The target has the schema, empty, so that only what is in it comes.
  bool exists = false;
};

// pg_dump into pg_restore, in one transaction of the target: all of it or nothing. Throws kTool
// with their own words when one of them fails.
void TransferSchema(const SchemaTransfer& transfer, const Programs& programs,
                    const Cancellation& cancellation);

}  // namespace pgbackup
