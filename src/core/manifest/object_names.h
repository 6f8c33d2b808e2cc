// The names of objects in a backup's folder: docs/storage-format.md.
#pragma once

#include <string_view>

namespace pgbackup {

// Whether `leaf`, a name without folder, is one that a backup gives to the objects that hold its
// data: schema.dump.zst, data-000.dump.zst, data-001.sql.zst, …, with .age and .partN where those
// are used. The manifest is none of them.
bool IsBackupObjectName(std::string_view leaf) noexcept;

}  // namespace pgbackup
