// Extensions that can be created in one database only, which they know by its name: pg_cron.
//
// A restore fills a database under another name. So these extensions, what depends on them and the
// rows of their configuration tables come last, when the database has its name.
#pragma once

#include <string>
#include <vector>

#include "core/manifest/manifest.h"
#include "core/postgres/postgres_connection.h"
#include "core/postgres/quoting.h"

namespace pgbackup {

struct BoundExtensions {
  std::vector<std::string> names;
  std::vector<QualifiedName> tables;  // of their configuration, sequences among them; in UTF-8
};

// Those of `names` that the backup needs. None of one in plain format, which is a single script.
BoundExtensions FindBoundExtensions(const Manifest& manifest,
                                    const std::vector<std::string>& names);

// What becomes of them: sentences without a full stop, as remarks.
std::string ComesLast(const std::vector<std::string>& names, const std::string& database);
std::string IsLeftOut(const std::vector<std::string>& names, const std::string& why);

// Why an extension of `bound` will not be created in the database; empty when it may be, as far as
// settings of the server tell.
std::string WhyNotIn(PostgresConnection& connection, const BoundExtensions& bound,
                     const std::string& database);

}  // namespace pgbackup
