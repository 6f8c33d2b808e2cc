#include "core/s3/object_reader.h"

#include <algorithm>
#include <deque>
#include <future>
#include <system_error>

#include "core/s3/part_buffer.h"
#include "core/s3/range_reader.h"
#include "core/storage/storage.h"

namespace pgbackup {
namespace {

// The bytes of one range, and the right to hold them.
class RangeBuffer {
 public:
  // Takes over one that was taken from `buffers`.
  RangeBuffer(RangeBuffers& buffers, size_t size) : permit_{buffers}, memory_(size) {}
  PartBuffer& memory() { return memory_; }

 private:
  struct Permit {
    RangeBuffers& buffers;
    ~Permit() { buffers.GiveBack(); }
  };
  Permit permit_;  // given back after the memory
  PartBuffer memory_;
};

class ObjectReader {
 public:
  ObjectReader(const Bucket& bucket, RangeBuffers& buffers, const std::string& key, Sink& to,
               uint64_t offset, uint64_t length, const CallControl& control)
      : bucket_(bucket), buffers_(buffers), key_(key), to_(to), control_(control), next_(offset) {
    end_ = length > Storage::kToTheEnd - offset ? Storage::kToTheEnd : offset + length;
    ahead_control_.cancellations.push_back(&stop_);
  }
  ~ObjectReader() {
    stop_.Cancel();
    for (Ahead& range : ahead_) range.wait();
  }

  void Run();

 private:
  // A range on its way, or here before its turn.
  using Ahead = std::future<std::unique_ptr<RangeBuffer>>;

  uint64_t EndOfNext() const { return next_ + std::min(end_ - next_, buffers_.range_size()); }
  void ReadFirst();
  void ReadNext();
  void DeliverAhead();
  void FetchAhead(size_t most);
  bool FetchOneAhead();

  const Bucket& bucket_;
  RangeBuffers& buffers_;
  const std::string& key_;
  Sink& to_;
  const CallControl& control_;
  Cancellation stop_;  // set at the end: ends the ranges nobody wants any more
  CallControl ahead_control_ = control_;

  uint64_t next_;  // the next byte to ask for
  uint64_t end_;   // past the last byte wanted
  std::string etag_;
  std::deque<Ahead> ahead_;  // in order
};

// The first range tells how long the object is, and the others start while it is coming.
void ObjectReader::ReadFirst() {
  const uint64_t asked_to = EndOfNext(), wanted_to = std::exchange(end_, next_);
  RangeReader first(bucket_, key_, next_, asked_to);
  first.TakeWholeUpTo(wanted_to);
  const auto on_head = [&](const RangeHead& head) {
    if (!head.size) return;
    etag_ = head.etag;
    end_ = std::min(wanted_to, *head.size);
    next_ = std::min(asked_to, end_);
    FetchAhead(buffers_.concurrency() - 1);
  };
  first.Run(
      control_, [this](std::span<const std::byte> data) { to_.Write(data); }, on_head);
}

// Reads a range straight into the sink.
void ObjectReader::ReadNext() {
  RangeReader range(bucket_, key_, next_, EndOfNext(), etag_);
  next_ = EndOfNext();
  FetchAhead(buffers_.concurrency() - 1);
  range.Run(control_, [this](std::span<const std::byte> data) { to_.Write(data); });
}

void ObjectReader::DeliverAhead() {
  Ahead front = std::move(ahead_.front());
  ahead_.pop_front();
  const std::unique_ptr<RangeBuffer> range = front.get();
  to_.Write(range->memory().bytes());
}

// Starts what is wanted next, until `most` ranges are ahead or no buffer is free.
void ObjectReader::FetchAhead(size_t most) {
  while (ahead_.size() < most && next_ < end_ && FetchOneAhead()) {
  }
}

bool ObjectReader::FetchOneAhead() {
  const uint64_t begin = next_, end = EndOfNext();
  if (!buffers_.TryTake()) return false;
  auto buffer = std::make_unique<RangeBuffer>(buffers_, static_cast<size_t>(end - begin));
  auto fetch = [this, begin, end, own = std::move(buffer)]() mutable {
    RangeReader range(bucket_, key_, begin, end, etag_);
    range.Run(ahead_control_, [&](std::span<const std::byte> data) { own->memory().Append(data); });
    return std::move(own);
  };
  try {
    ahead_.push_back(std::async(std::launch::async, std::move(fetch)));
  } catch (const std::system_error&) {
    return false;  // no thread to be had: one range after the other, then
  }
  next_ = end;
  return true;
}

void ObjectReader::Run() {
  ReadFirst();
  for (;;) {
    // While this thread only waits, there is one more; one alone is no gain over reading it here.
    FetchAhead(buffers_.concurrency() > 1 ? buffers_.concurrency() : 0);
    if (!ahead_.empty())
      DeliverAhead();
    else if (next_ < end_)
      ReadNext();
    else
      return;
  }
}

}  // namespace

void ReadObject(const Bucket& bucket, RangeBuffers& buffers, const std::string& key, Sink& to,
                uint64_t offset, uint64_t length, const CallControl& control) {
  if (length > 0) return ObjectReader(bucket, buffers, key, to, offset, length, control).Run();
  const auto head = bucket.HeadObject(key, control);
  const std::string failed = "could not read " + bucket.Url(key) + ": ";
  if (!head) throw Error(ErrorKind::kNotFound, failed + "it does not exist");
  if (offset > head->size) throw Error(ErrorKind::kInvalid, failed + "offset is past its end");
}

}  // namespace pgbackup
