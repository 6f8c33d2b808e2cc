#include "core/s3/upload_plan.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/storage/segment_plan.h"

namespace pgbackup {

UploadLimits LimitsOfUpload(uint64_t part_size, uint64_t most_parts) {
  if (part_size < kLeastPartSize || part_size > kMostPartSize)
    throw Error(ErrorKind::kInvalid, "invalid value of pgbackup.s3_part_size", {},
                "It must be between 5 MB and 5 GB.");
  return {part_size, std::min(most_parts, kMostObjectSize / part_size)};
}

ObjectPlan PlanObject(uint64_t size, const UploadLimits& limits) noexcept {
  if (size <= limits.part_size) return {size, 0, size};
  const uint64_t parts = (size - 1) / limits.part_size + 1;
  return {size, parts, size - (parts - 1) * limits.part_size};
}

StreamPlan PlanStream(uint64_t size, const UploadLimits& limits) noexcept {
  const uint64_t object_size = limits.ObjectSize();
  const uint64_t last = size == 0 ? 0 : PlaceInSegments(size - 1, object_size).index;
  return {last, PlanObject(object_size, limits), PlanObject(size - last * object_size, limits)};
}

}  // namespace pgbackup
