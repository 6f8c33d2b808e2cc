// The passkey of restores that replace a database: making its hash, and comparing with it.
#pragma once

#include <string>
#include <string_view>

#include "core/base/environment.h"
#include "shared/passkey_hash.h"

namespace pgbackup {

// The text of a hash with a new salt. kInvalid for a passkey that is too short, or that nobody
// could give in SQL.
std::string HashPasskey(std::string_view passkey, Environment& environment);

// Whether the hash is that of `passkey`. Takes as long for a wrong one as for the right one.
bool IsPasskey(std::string_view passkey, const PasskeyHash& hash);

}  // namespace pgbackup
