// Takes the values of rows out of what PostgreSQL says about a failure: who may see the state of a
// run may not see what is in the tables. Names of tables, columns and constraints, and line
// numbers, stay; "…" stands for what was taken out.
//
// The server's messages come in its own language, so the shapes decide and not the words, as far as
// that is possible: a value stands in quotes behind a colon, or in parentheses at the end.
#pragma once

#include <string>
#include <string_view>

namespace pgbackup {

// The fields of one error of the server. What a function raised can hold anything, so none of it
// stays; where it was raised stays.
struct ServerMessage {
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;
};
ServerMessage WithoutRowValues(ServerMessage error, std::string_view sqlstate);

// The same for what a program wrote: lines such as "pg_restore: error: COPY failed for table …".
std::string LinesWithoutRowValues(std::string_view lines);

}  // namespace pgbackup
