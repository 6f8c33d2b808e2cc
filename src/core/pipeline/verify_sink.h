// Compares the bytes that pass with the size and SHA-256 they were stored with.
//
// Does not own the next sink: several stored segments, each with its own digest, flow into one
// decoder. Bytes reach the next sink before they are proved; Finish says whether all of them were
// the right ones, and only then may the next sink be finished.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/sha256.h"
#include "core/pipeline/sink.h"

namespace pgbackup {

class VerifySink final : public Sink {
 public:
  // `name` is the object's, for messages. `next` outlives this sink.
  VerifySink(Sink& next, std::string name, uint64_t size, std::string sha256);

  // Throws kCorrupt as soon as more bytes come than were stored.
  void Write(std::span<const std::byte> data) override;
  // Throws kCorrupt unless exactly the stored bytes came. Leaves the next sink open.
  void Finish() override;
  void Abort() noexcept override {}

 private:
  Sink& next_;
  std::string name_;
  uint64_t expected_size_;
  std::string expected_sha256_;
  uint64_t size_ = 0;
  Sha256 hash_;
};

}  // namespace pgbackup
