// What a database needs of its server that no dump of it brings along: roles, extensions,
// tablespaces. Read at backup, compared with the server before a restore begins.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/postgres/quoting.h"

namespace pgbackup {

struct NeededExtension {
  std::string name;
  std::string version;
  std::string schema;
  // Its configuration tables and sequences, whose rows are dumped (pg_extension.extconfig).
  std::vector<QualifiedName> configuration = {};
  bool operator==(const NeededExtension&) const = default;
};

struct Requirements {
  // Who owns something, is granted something, or is named by a policy, a default privilege, a user
  // mapping or a setting of the database. Sorted.
  std::vector<std::string> roles;
  std::vector<NeededExtension> extensions;
  std::vector<std::string> tablespaces;  // of what is in the database; not the database's own
  bool operator==(const Requirements&) const = default;
};

boost::json::object RequirementsToJson(const Requirements& requirements);
Requirements RequirementsFromJson(const JsonReader& reader);

}  // namespace pgbackup
