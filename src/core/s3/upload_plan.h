// How a stream of any size is stored in S3: as which objects, each of which parts.
//
// All parts of an object but its last have the same size, which several stores insist on. What fits
// into one part is a single PUT. An object that is full continues in the next one. Pure: the
// writer, the storage and whoever wants to know beforehand ask here.
#pragma once

#include <cstdint>

namespace pgbackup {

// What every store takes.
inline constexpr uint64_t kLeastPartSize = 5ull << 20;
inline constexpr uint64_t kMostPartSize = 5ull << 30;
inline constexpr uint64_t kMostParts = 900;  // the strictest store takes 1000
inline constexpr uint64_t kMostObjectSize = 5ull << 40;

// What one object takes.
struct UploadLimits {
  uint64_t part_size = 0;  // bytes
  uint64_t parts = 0;      // at most

  constexpr uint64_t ObjectSize() const noexcept { return part_size * parts; }
};

// For parts of `part_size`: at most `most_parts` of them, and fewer where the object would be
// larger than stores take. Throws kInvalid, naming pgbackup.s3_part_size, for a size no store
// takes.
UploadLimits LimitsOfUpload(uint64_t part_size, uint64_t most_parts = kMostParts);

// How one object is written.
struct ObjectPlan {
  uint64_t size = 0;
  uint64_t parts = 0;      // of a multipart upload; 0: a single PUT
  uint64_t last_part = 0;  // size of the last part, or of the PUT

  bool operator==(const ObjectPlan&) const = default;
};

// For an object of `size` bytes, which is at most limits.ObjectSize().
ObjectPlan PlanObject(uint64_t size, const UploadLimits& limits) noexcept;

// How a stream is written: `full_objects` times `full`, then `last`.
struct StreamPlan {
  uint64_t full_objects = 0;
  ObjectPlan full;
  ObjectPlan last;

  constexpr uint64_t objects() const noexcept { return full_objects + 1; }
};

StreamPlan PlanStream(uint64_t size, const UploadLimits& limits) noexcept;

}  // namespace pgbackup
