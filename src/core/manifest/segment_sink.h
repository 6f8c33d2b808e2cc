// Stores a stream as one object, and what does not fit as further ones.
//
// The stream "name" continues in "name.part2", "name.part3", …, each Storage::MaxObjectSize() long
// but the last. Size and SHA-256 of each segment are collected. Abort also deletes the segments
// that are finished already, as far as the storage lets it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/pipeline/hash_sink.h"
#include "core/pipeline/sink.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct Segment {
  std::string name;    // relative to the storage's URL
  uint64_t size = 0;   // bytes
  std::string sha256;  // lower-case hexadecimal
  bool operator==(const Segment&) const = default;
};

class SegmentSink final : public Sink {
 public:
  // `stored` (outlives the sink) is increased by every byte handed to the storage. The first
  // object is begun at once.
  SegmentSink(Storage& storage, std::string name, std::atomic<uint64_t>* stored);
  ~SegmentSink() override { Abort(); }

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override;

  // All segments, in order; valid after Finish.
  const std::vector<Segment>& segments() const noexcept { return segments_; }

 private:
  void Begin();
  void FinishCurrent();

  Storage& storage_;
  const std::string name_;
  std::atomic<uint64_t>* stored_;
  const uint64_t limit_;
  uint64_t size_ = 0;  // of the stream so far
  std::string current_name_;
  std::unique_ptr<HashSink> current_;
  std::vector<Segment> segments_;
  bool finished_ = false;
};

}  // namespace pgbackup
