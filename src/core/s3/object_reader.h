// Reads an object as a stream, never whole in memory. A big one is read in ranges, several at once.
#pragma once

#include <cstdint>
#include <semaphore>
#include <string>

#include "core/pipeline/sink.h"
#include "core/s3/bucket.h"
#include "core/s3/s3_settings.h"

namespace pgbackup {

// What the readers of one storage share: the buffers of ranges that come before their turn. Their
// memory together is range_size × concurrency; a reader that gets none reads range after range
// straight into its sink. Outlives the readers.
class RangeBuffers {
 public:
  // `concurrency` is 1 to kMostS3Concurrency: how many ranges of one object are on their
  // way at once.
  RangeBuffers(uint64_t range_size, int concurrency)
      : range_size_(range_size), concurrency_(concurrency), free_(concurrency) {}

  uint64_t range_size() const { return range_size_; }
  size_t concurrency() const { return static_cast<size_t>(concurrency_); }
  // Takes one if there is one; never waits.
  bool TryTake() { return free_.try_acquire(); }
  void GiveBack() { free_.release(); }

 private:
  const uint64_t range_size_;
  const int concurrency_;
  std::counting_semaphore<kMostS3Concurrency> free_;
};

// Storage::Get for the object `key`.
void ReadObject(const Bucket& bucket, RangeBuffers& buffers, const std::string& key, Sink& to,
                uint64_t offset, uint64_t length, const CallControl& control);

}  // namespace pgbackup
