// The fingerprints of the rows of a backup's tables, and how a manifest holds them.
//
// The keys are documented in docs/storage-format.md.
#pragma once

#include <boost/json.hpp>
#include <map>

#include "core/base/json.h"
#include "core/fingerprint/row_fingerprint.h"
#include "core/postgres/quoting.h"

namespace pgbackup {

using FingerprintList = std::map<QualifiedName, RowFingerprint>;  // names in UTF-8

// `rows` are as they are in the dump, `with_generated` those of tables with stored generated
// columns together with these.
boost::json::object FingerprintsToJson(const FingerprintList& rows,
                                       const FingerprintList& with_generated = {});

// `key` is "tables" or "generated". Empty when their algorithm is not known; kInvalid when the rest
// is wrong.
FingerprintList FingerprintsFromJson(const JsonReader& reader, const char* key = "tables");

}  // namespace pgbackup
