#include "core/fingerprint/fingerprint_list.h"

namespace pgbackup {
namespace {

constexpr const char* kAlgorithm = "xxh3-128-sum";

boost::json::array ListToJson(const FingerprintList& fingerprints) {
  boost::json::array tables;
  tables.reserve(fingerprints.size());
  for (const auto& [table, rows] : fingerprints)
    tables.push_back(boost::json::object{{"schema", JsonText(std::string_view(table.schema))},
                                         {"name", JsonText(std::string_view(table.name))},
                                         {"rows", rows.rows},
                                         {"hash", rows.HashText()}});
  return tables;
}

}  // namespace

boost::json::object FingerprintsToJson(const FingerprintList& rows,
                                       const FingerprintList& with_generated) {
  boost::json::object object;
  object["algorithm"] = kAlgorithm;
  object["tables"] = ListToJson(rows);
  if (!with_generated.empty()) object["generated"] = ListToJson(with_generated);
  return object;
}

FingerprintList FingerprintsFromJson(const JsonReader& reader, const char* key) {
  FingerprintList fingerprints;
  if (reader.Text("algorithm") != kAlgorithm) return fingerprints;
  for (const JsonReader& table : reader.Objects(key))
    fingerprints[{table.Text("schema"), table.Text("name")}] =
        RowFingerprint::FromText(table.Size("rows"), table.Text("hash"));
  return fingerprints;
}

}  // namespace pgbackup
