#include "core/manifest/segment_sink.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/storage/segment_plan.h"

namespace pgbackup {

SegmentSink::SegmentSink(Storage& storage, std::string name, std::atomic<uint64_t>* stored)
    : storage_(storage), name_(std::move(name)), stored_(stored), limit_(storage.MaxObjectSize()) {
  if (limit_ == 0) throw Error(ErrorKind::kInternal, "the storage holds no bytes in an object");
  Begin();
}

void SegmentSink::Begin() {
  current_name_ = segments_.empty() ? name_ : fmt::format("{}.part{}", name_, segments_.size() + 1);
  current_ = std::make_unique<HashSink>(storage_.Put(current_name_));
}

void SegmentSink::FinishCurrent() {
  current_->Finish();
  segments_.push_back({current_name_, current_->size(), current_->sha256()});
  current_.reset();
}

void SegmentSink::Write(std::span<const std::byte> data) {
  while (!data.empty()) {
    // Only a byte that does not fit begins the next segment, so that none is ever empty.
    const SegmentPlace place = PlaceInSegments(size_, limit_);
    if (place.index > segments_.size()) {
      FinishCurrent();
      Begin();
    }
    const auto part = data.first(std::min<uint64_t>(data.size(), place.room));
    current_->Write(part);
    size_ += part.size();
    stored_->fetch_add(part.size(), std::memory_order_relaxed);
    data = data.subspan(part.size());
  }
}

void SegmentSink::Finish() {
  FinishCurrent();
  finished_ = true;
}

void SegmentSink::Abort() noexcept {
  if (finished_) return;
  if (current_) current_->Abort();
  current_.reset();
  for (const Segment& segment : segments_) {
    try {
      storage_.Delete(segment.name);
    } catch (...) {
      // The run's folder is swept after a failure anyway; this is only the quick way.
    }
  }
  segments_.clear();
}

}  // namespace pgbackup
