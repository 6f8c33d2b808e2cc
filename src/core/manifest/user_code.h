// Which tables and builds of a database call code that is not built into the server.
//
// Such code may read other tables, whatever it says of itself, so a restore loads and builds these
// last, in the archive's order. Everything is named by its OID in the database that was backed up,
// which the tables of contents of its archives name, too. Read at backup (read_user_code.h).
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <set>

#include "core/base/json.h"

namespace pgbackup {

struct UserCode {
  using Oids = std::set<uint32_t>;

  // Of pg_class: loading rows calls code that may read any table.
  Oids tables;
  // Of pg_class: loading rows calls, at most, code of extensions in C that is declared immutable:
  // it may read configuration tables of extensions.
  Oids extension_tables;
  // Building or checking calls code that may read any table.
  Oids indexes;             // of pg_class
  Oids constraints;         // of pg_constraint
  Oids materialized_views;  // of pg_class

  bool operator==(const UserCode&) const = default;
};

// The keys are documented in docs/storage-format.md.
boost::json::object UserCodeToJson(const UserCode& code);
UserCode UserCodeFromJson(const JsonReader& reader);

}  // namespace pgbackup
