// What the catalog keeps of a backup that is complete.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "core/manifest/manifest.h"

namespace pgbackup {

// `text` is the manifest as it is stored.
boost::json::object BackupFields(const Manifest& manifest, const std::string& text);

}  // namespace pgbackup
