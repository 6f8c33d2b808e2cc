// Cheap signs, seen while a database is dumped, that the backup cannot be restored as it is. A dump
// does not notice: it evaluates nothing.
#pragma once

#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/manifest/requirements.h"
#include "core/postgres/server_address.h"

namespace pgbackup {

// Sentences without a full stop, for people. Names what no restore brings back, and functions in
// expressions that name a table or a function without its schema: while a backup is restored,
// search_path is empty. At most kMostRisks, from one session that takes 10 seconds at most. Throws
// what the server answers.
inline constexpr int kMostRisks = 20;
std::vector<std::string> FindRestoreRisks(const ConnectionSettings& settings,
                                          const Cancellation& cancellation);

// extension "a", extensions "a", "b".
std::string ExtensionsInWords(const std::vector<std::string>& names);

// Those of `extensions` that the dumped database has, in words: each can be created in one database
// only, which it knows by its name. Empty when there is none.
std::string BoundExtensionsInWords(const Requirements& requirements,
                                   const std::vector<std::string>& extensions);

}  // namespace pgbackup
