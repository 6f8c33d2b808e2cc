// A cron expression in words, such as "at 02:00 on Monday and Friday".
//
// Used inside the server: no exceptions, no allocation.
#pragma once

#include <cstddef>
#include <span>

#include "shared/cron/cron.h"

namespace pgbackup {

// Writes it into `out` (zero-terminated, cut when it does not fit; 400 bytes hold most); returns
// its length.
size_t CronInWords(const CronExpression& cron, std::span<char> out) noexcept;

}  // namespace pgbackup
