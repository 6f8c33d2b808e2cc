// Objects of a few hundred bytes that anybody who can write to the storage may have changed.
#pragma once

#include <optional>
#include <string>

#include "core/storage/storage.h"

namespace pgbackup {

// The object's bytes; none when there is no such object. One that is longer than 64 KiB counts as
// empty.
std::optional<std::string> ReadSmallObject(Storage& storage, const std::string& name);

// Stores JSON, never locked. With `if_absent` kAlreadyExists when there is such an object.
void WriteSmallObject(Storage& storage, const std::string& name, const std::string& text,
                      bool if_absent);

}  // namespace pgbackup
