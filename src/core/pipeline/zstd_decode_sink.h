// Decompresses zstd frames and passes the content on.
//
// Write throws kCorrupt for anything that is not zstd and for a content checksum that does not
// match; Finish throws kCorrupt when the last frame is not whole or there was none. A frame that
// asks for a window of more than kZstdWindowLog is refused, so memory is bounded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/pipeline/sink.h"

struct ZSTD_DCtx_s;

namespace pgbackup {

// The widest window that is written and read, 128 MiB: what zstd -d takes without a switch.
inline constexpr int kZstdWindowLog = 27;

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
