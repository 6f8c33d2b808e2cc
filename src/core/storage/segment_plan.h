// How a stream is cut into objects: all of the same size but the last, which is never empty unless
// the stream is. Pure; the sink that cuts and the plan of an upload both ask here.
#pragma once

#include <cstdint>

namespace pgbackup {

// Where the next byte of a stream goes.
struct SegmentPlace {
  uint64_t index = 0;  // of the object, from 0
  uint64_t room = 0;   // bytes of the stream that this object still takes
};

// For the byte at `position`; an object takes `object_size` bytes, which is not 0.
constexpr SegmentPlace PlaceInSegments(uint64_t position, uint64_t object_size) noexcept {
  return {position / object_size, object_size - position % object_size};
}

}  // namespace pgbackup
