// Who grants what, in a script that pg_dumpall has written: the superuser who runs it, but between
// SET and RESET SESSION AUTHORIZATION. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/postgres/sql_script.h"

namespace pgbackup {

class Grantor {
 public:
  // Takes the script's statements in their order. True when this one says who grants.
  bool Take(const SqlStatement& statement);

  // A role; none when it is who runs the script.
  const std::optional<std::string>& name() const noexcept { return name_; }

  // Adds the statement to `script`, as that grantor's.
  void Grant(const SqlStatement& statement, std::vector<std::string>* script) const;

 private:
  std::optional<std::string> name_;
};

}  // namespace pgbackup
