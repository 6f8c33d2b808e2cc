// What the tables of a backup are called in its archives.
#pragma once

#include "core/dump/table_names.h"
#include "core/manifest/manifest.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Of every table that the manifest has a fingerprint of, also where the names do not differ. The
// server converts them.
ArchiveNames NamesInArchives(PostgresConnection& connection, const Manifest& manifest);

}  // namespace pgbackup
