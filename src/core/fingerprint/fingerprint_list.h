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

boost::json::object FingerprintsToJson(const FingerprintList& fingerprints);

// Empty when their algorithm is not known; kInvalid when the rest is wrong.
FingerprintList FingerprintsFromJson(const JsonReader& reader);

}  // namespace pgbackup
