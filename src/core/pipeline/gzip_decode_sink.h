// Decompresses gzip members and passes the content on.
//
// Write throws kCorrupt for anything that is not gzip and for a CRC or a length that does not
// match; Finish throws kCorrupt when the last member is not whole or there was none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/pipeline/sink.h"

struct z_stream_s;

namespace pgbackup {

class GzipDecodeSink final : public Sink {
 public:
  // `name` is the object's, for messages.
  GzipDecodeSink(std::unique_ptr<Sink> next, std::string name);
  ~GzipDecodeSink() override;

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

 private:
  struct FreeStream {
    void operator()(z_stream_s* stream) const noexcept;
  };
  // Decompresses the stream's input.
  void Inflate();

  std::unique_ptr<Sink> next_;
  std::string name_;
  std::vector<std::byte> buffer_;
  std::unique_ptr<z_stream_s, FreeStream> stream_;
  bool at_member_end_ = false;  // also false before the first member: nothing is no archive
};

}  // namespace pgbackup
