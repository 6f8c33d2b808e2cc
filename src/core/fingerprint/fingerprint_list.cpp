#include "core/fingerprint/fingerprint_list.h"

namespace pgbackup {
namespace {

constexpr const char* kAlgorithm = "xxh3-128-sum";

}  // namespace

boost::json::object FingerprintsToJson(const FingerprintList& fingerprints) {
  boost::json::array tables;
  tables.reserve(fingerprints.size());
  for (const auto& [table, rows] : fingerprints)
    tables.push_back(boost::json::object{{"schema", JsonText(std::string_view(table.schema))},
                                         {"name", JsonText(std::string_view(table.name))},
                                         {"rows", rows.rows},
                                         {"hash", rows.HashText()}});
  return {{"algorithm", kAlgorithm}, {"tables", std::move(tables)}};
}

FingerprintList FingerprintsFromJson(const JsonReader& reader) {
  FingerprintList fingerprints;
  if (reader.Text("algorithm") != kAlgorithm) return fingerprints;
  for (const JsonReader& table : reader.Objects("tables"))
    fingerprints[{table.Text("schema"), table.Text("name")}] =
        RowFingerprint::FromText(table.Size("rows"), table.Text("hash"));
  return fingerprints;
}

}  // namespace pgbackup
