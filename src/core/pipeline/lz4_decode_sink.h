// Decompresses LZ4 frames and passes the content on.
//
// Write throws kCorrupt for anything that is not an LZ4 frame and for a content checksum that does
// not match; Finish throws kCorrupt when the last frame is not whole or there was none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/pipeline/sink.h"

struct LZ4F_dctx_s;

namespace pgbackup {

class Lz4DecodeSink final : public Sink {
 public:
  // `name` is the object's, for messages.
  Lz4DecodeSink(std::unique_ptr<Sink> next, std::string name);
  ~Lz4DecodeSink() override;

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

 private:
  struct FreeContext {
    void operator()(LZ4F_dctx_s* context) const noexcept;
  };

  std::unique_ptr<Sink> next_;
  std::string name_;
  std::unique_ptr<LZ4F_dctx_s, FreeContext> context_;
  std::vector<std::byte> buffer_;
  bool at_frame_end_ = false;  // also false before the first frame: nothing is no archive
};

}  // namespace pgbackup
