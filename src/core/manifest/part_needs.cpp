#include "core/manifest/part_needs.h"

#include <fmt/format.h>

#include <limits>

#include "core/base/error.h"

namespace pgbackup {

namespace json = boost::json;

namespace {

struct ObjectKey {
  const char* key;
  uint32_t catalog;
};

constexpr ObjectKey kObjectKeys[] = {{"extensions", PartNeeds::kExtensions},
                                     {"functions", 1255},         // pg_proc
                                     {"operators", 2617},         // pg_operator
                                     {"operator_classes", 2616},  // pg_opclass
                                     {"types", 1247},             // pg_type
                                     {"collations", 3456}};       // pg_collation

uint32_t AsOid(uint64_t value, const JsonReader& reader, const char* key) {
  if (value > std::numeric_limits<uint32_t>::max())
    throw Error(ErrorKind::kInvalid,
                fmt::format("field \"{}\" of the manifest does not hold OIDs", reader.NameOf(key)));
  return static_cast<uint32_t>(value);
}

}  // namespace

json::object PartNeedsToJson(const PartNeeds& needs) {
  json::array constraints;
  for (const auto& [oid, objects] : needs.constraints) {
    json::object constraint{{"oid", oid}};
    for (const ObjectKey& each : kObjectKeys) {
      json::array oids;
      for (const PartNeeds::Object& object : objects)
        if (object.catalog == each.catalog) oids.push_back(object.oid);
      if (!oids.empty()) constraint[each.key] = std::move(oids);
    }
    constraints.push_back(std::move(constraint));
  }
  json::array of_extensions;
  for (const PartNeeds::OfExtension& entry : needs.of_extensions)
    of_extensions.push_back(json::object{{"extension", entry.extension},
                                         {"schema", JsonText(std::string_view(entry.schema))},
                                         {"entry", JsonText(std::string_view(entry.tag))}});
  return {{"constraints", std::move(constraints)}, {"of_extensions", std::move(of_extensions)}};
}

PartNeeds PartNeedsFromJson(const JsonReader& reader) {
  PartNeeds needs;
  for (const JsonReader& constraint : reader.Objects("constraints")) {
    auto& objects = needs.constraints[AsOid(constraint.Size("oid"), constraint, "oid")];
    for (const ObjectKey& each : kObjectKeys)
      for (const uint64_t oid : constraint.Sizes(each.key))
        objects.insert({each.catalog, AsOid(oid, constraint, each.key)});
  }
  for (const JsonReader& entry : reader.Objects("of_extensions"))
    needs.of_extensions.push_back({AsOid(entry.Size("extension"), entry, "extension"),
                                   entry.Text("schema"), entry.Text("entry")});
  return needs;
}

}  // namespace pgbackup
