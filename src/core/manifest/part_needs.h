// What the entries of an archive need that its table of contents does not tell, for restoring
// parts.
//
// pg_dump knows of what an index needs, but not that a constraint needs it for its index, and names
// what is in an extension without saying whose it is. Everything is named by its OID in the
// database that was backed up, which the tables of contents of its archives name, too. Read at
// backup (read_part_needs.h).
#pragma once

#include <boost/json.hpp>
#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace pgbackup {

struct PartNeeds {
  struct Object {
    uint32_t catalog = 0;  // OID of the system catalog that it is in
    uint32_t oid = 0;
    auto operator<=>(const Object&) const = default;
  };
  // An entry that grants privileges on something in an extension, or labels it.
  struct OfExtension {
    uint32_t extension = 0;
    std::string schema;  // empty when it is in none
    std::string tag;     // of the entry: "TYPE hstore"
    bool operator==(const OfExtension&) const = default;
  };

  static constexpr uint32_t kExtensions = 3079;   // OID of pg_extension
  static constexpr uint32_t kConstraints = 2606;  // of pg_constraint

  std::map<uint32_t, std::set<Object>> constraints;  // by their OIDs: what their indexes need
  std::vector<OfExtension> of_extensions;

  bool operator==(const PartNeeds&) const = default;
};

// The keys are documented in docs/storage-format.md.
boost::json::object PartNeedsToJson(const PartNeeds& needs);
PartNeeds PartNeedsFromJson(const JsonReader& reader);

}  // namespace pgbackup
