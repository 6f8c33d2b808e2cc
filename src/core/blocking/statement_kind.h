// What kind of statement a query is, without a word of what it says.
#pragma once

#include <string>
#include <string_view>

namespace pgbackup {

// "ALTER TABLE", "TRUNCATE", "VACUUM FULL", …: of the first statement in `query`, from a list of
// known words, so that no name and no literal, which may be a secret, can get through. Empty when
// it is none of them. The query may be cut off anywhere.
std::string StatementKind(std::string_view query);

}  // namespace pgbackup
