// Objects of a few hundred bytes that anybody who can write to the storage may have changed.
#pragma once

#include <optional>
#include <string>

#include "core/storage/storage.h"

namespace pgbackup {

// The object's bytes; none when there is no such object. One that is longer than 64 KiB counts as
// empty.
std::optional<std::string> ReadSmallObject(Storage& storage, const std::string& name);

}  // namespace pgbackup
