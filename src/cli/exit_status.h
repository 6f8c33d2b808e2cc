// What the process's exit status tells: docs/pgbackup.1.
#pragma once

namespace pgbackup {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;       // the arguments make no sense, or fit several backups
inline constexpr int kExitNotFound = 3;    // what they name does not exist
inline constexpr int kExitDamaged = 4;     // stored bytes are not what was stored
inline constexpr int kExitIncomplete = 5;  // restored, but for what the server refused
inline constexpr int kExitInterrupted = 130;

}  // namespace pgbackup
