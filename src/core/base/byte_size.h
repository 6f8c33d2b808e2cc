// Numbers of bytes as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace pgbackup {

// "512 bytes", "37 kB", "1200 MB": as pg_size_pretty() writes it, rounded to the nearest unit.
std::string InByteUnits(uint64_t bytes);

}  // namespace pgbackup
