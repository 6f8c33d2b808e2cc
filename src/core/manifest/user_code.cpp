#include "core/manifest/user_code.h"

#include <fmt/format.h>

#include <limits>

#include "core/base/error.h"

namespace pgbackup {

namespace json = boost::json;

namespace {

json::array OidsToJson(const UserCode::Oids& oids) {
  json::array array;
  array.reserve(oids.size());
  for (const uint32_t oid : oids) array.push_back(oid);
  return array;
}

}  // namespace

json::object UserCodeToJson(const UserCode& code) {
  json::object object;
  object["tables"] = OidsToJson(code.tables);
  object["extension_tables"] = OidsToJson(code.extension_tables);
  object["indexes"] = OidsToJson(code.indexes);
  object["constraints"] = OidsToJson(code.constraints);
  object["materialized_views"] = OidsToJson(code.materialized_views);
  return object;
}

UserCode UserCodeFromJson(const JsonReader& reader) {
  const auto oids = [&](const char* key) {
    UserCode::Oids found;
    for (const uint64_t oid : reader.Sizes(key)) {
      if (oid > std::numeric_limits<uint32_t>::max())
        throw Error(ErrorKind::kInvalid,
                    fmt::format("field \"{}\" of the manifest is not an array of OIDs",
                                reader.NameOf(key)));
      found.insert(static_cast<uint32_t>(oid));
    }
    return found;
  };
  return {oids("tables"), oids("extension_tables"), oids("indexes"), oids("constraints"),
          oids("materialized_views")};
}

}  // namespace pgbackup
