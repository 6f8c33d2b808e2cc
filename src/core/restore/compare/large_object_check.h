// What is in the large objects of a restored database.
#pragma once

#include "core/fingerprint/row_fingerprint.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// The fingerprint of all of them, read a page at a time.
RowFingerprint ReadLargeObjects(PostgresConnection& connection);

}  // namespace pgbackup
