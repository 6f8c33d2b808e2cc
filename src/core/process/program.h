// PostgreSQL's own programs: where they are, which version they have, what they may see.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/environment.h"

namespace pgbackup {

// Where and as what to run a program.
struct Programs {
  std::string directory;                 // pgbackup.bin_directory; empty: the PATH is searched
  std::vector<std::string> environment;  // of every child, "NAME=value"
};

// The environment libpq programs need and nothing else: PATH, HOME, ConnectionVariables as far as
// they are set, PGAPPNAME, and the C locale, which makes their messages English.
Programs MakePrograms(const std::string& directory, const Environment& environment);

// The path of the program `name`. kNotFound when the PATH has none; a program missing in
// `directory` is reported by starting it.
std::string FindProgram(const Programs& programs, const std::string& name);

struct ProgramVersion {
  std::string text;  // e.g. "15.20"
  int major = 0;     // e.g. 15
};

// From the output of `--version`, "pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)" or
// "… 18beta1"; kTool when it does not look like one.
ProgramVersion ParseProgramVersion(std::string_view output);

// Runs `name --version`.
ProgramVersion AskProgramVersion(const Programs& programs, const std::string& name,
                                 const Cancellation& cancellation);

// Throws kInvalid when the program is older than `major`, the version of `what` (e.g. "the
// server"), which it could not read.
void CheckProgramVersion(const std::string& name, const ProgramVersion& version, int major,
                         std::string_view what);

}  // namespace pgbackup
