// What decoders throw, in the same words whatever the codec.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace pgbackup {

inline Error DamagedObject(std::string_view name, std::string detail) {
  return {ErrorKind::kCorrupt, fmt::format("object \"{}\" is damaged", name), std::move(detail)};
}

// `reason` in the words of the library.
inline Error CannotDecompress(std::string_view name, std::string_view reason) {
  return DamagedObject(name, fmt::format("It cannot be decompressed: {}.", reason));
}

inline Error EndsTooEarly(std::string_view name) {
  return DamagedObject(name, "Its compressed data ends too early.");
}

}  // namespace pgbackup
