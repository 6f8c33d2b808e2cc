// A place bytes go to: the contract of every stage of the pipeline.
//
//   producer → counter → compress → encrypt → hash → object writer
//
// A chain is built from the far end, each stage owning the next. The caller writes any number of
// times and then calls exactly one of Finish and Abort; destroying a sink that saw neither is the
// same as Abort. End of input is not success: only the caller knows whether the producer succeeded,
// so nothing becomes visible in storage before Finish.
//
// A sink is used by one thread at a time. After any call has thrown, only Abort (and destruction)
// may follow.
#pragma once

#include <cstddef>
#include <span>

namespace pgbackup {

class Sink {
 public:
  virtual ~Sink() = default;

  // Takes all of `data` (any size, also empty). The bytes may be reused when it returns.
  virtual void Write(std::span<const std::byte> data) = 0;

  // No more data, all of it is good: flushes, finishes the next sink, makes the result durable.
  // Called once. When it throws, the result does not exist (the caller then calls Abort).
  virtual void Finish() = 0;

  // Throws everything away: releases resources, removes partial results, aborts the next sink.
  // May be called after a failed Write or Finish; twice is harmless; after a good Finish it does
  // nothing.
  virtual void Abort() noexcept = 0;
};

}  // namespace pgbackup
