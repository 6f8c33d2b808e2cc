// Which manifests are believed that come from a storage alone.
#pragma once

#include <string>

namespace pgbackup {

struct ManifestKeySettings {
  std::string file;             // with the keys (manifest_mac.h); empty: none is signed or checked
  bool allow_unsigned = false;  // those without a MAC are believed, too
};

}  // namespace pgbackup
