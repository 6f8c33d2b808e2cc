// A row that the server cannot send: as text it takes more than the gigabyte that a value may have.
// Values of up to a gigabyte can be stored, and text needs more room, twice as much for bytea.
#pragma once

#include <optional>
#include <string>

#include "core/base/error.h"

namespace pgbackup {

// If `error` reports such a row, an error that names the table and the size; else none.
// `table`, as SQL names it, is for a statement of our own; of pg_dump's, its words have it.
std::optional<Error> LargeRowError(const Error& error, const std::string& table = "");

}  // namespace pgbackup
