// Decompresses zstd frames and passes the content on.
//
// Write throws kCorrupt for anything that is not zstd and for a content checksum that does not
// match; Finish throws kCorrupt when the last frame is not whole or there was none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/pipeline/sink.h"

struct ZSTD_DCtx_s;

namespace pgbackup {

class ZstdDecodeSink final : public Sink {
 public:
  // `name` is the object's, for messages.
  ZstdDecodeSink(std::unique_ptr<Sink> next, std::string name);
  ~ZstdDecodeSink() override;

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

 private:
  struct FreeContext {
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };

  std::unique_ptr<Sink> next_;
  std::string name_;
  std::unique_ptr<ZSTD_DCtx_s, FreeContext> context_;
  std::vector<std::byte> buffer_;
  bool at_frame_end_ = false;  // also false before the first frame: nothing is no archive
};

}  // namespace pgbackup
