// The names of objects in a backup's folder: docs/storage-format.md.
#pragma once

#include <string_view>

#include "shared/compression.h"

namespace pgbackup {

// What the names of objects written with this codec end with: ".zst", ".gz", ".lz4" or nothing.
std::string_view CodecSuffix(Codec codec) noexcept;

// What those of encrypted objects end with, behind that.
inline constexpr std::string_view kEncryptedSuffix = ".age";

// What an object was compressed with, by its name, also with .age and .partN behind.
Codec CodecOfObject(std::string_view name) noexcept;

// Whether an object is encrypted, by its name, also with .partN behind.
bool IsEncryptedObject(std::string_view name) noexcept;

// The name of an object, still without suffixes, that no other run gives: "schema.dump" becomes
// "schema.run0123abcd.dump".
std::string WithRunKey(std::string_view name, std::string_view run_key);

// Whether that was done to the name `leaf`, with this key.
bool HasRunKey(std::string_view leaf, std::string_view run_key) noexcept;

// Whether `leaf`, a name without folder, is one that a backup gives to the objects that hold its
// data: schema.dump.zst, data-000.dump.gz, data-001.sql, …, with .age and .partN where those are
// used, and the key of its run. The manifest and the claim are none of them.
bool IsBackupObjectName(std::string_view leaf) noexcept;

}  // namespace pgbackup
