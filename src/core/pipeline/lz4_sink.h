// Compresses into one LZ4 frame with a content checksum.
//
// Blocks of 256 KiB that refer to the ones before: as small as with the tool's 4 MiB blocks, with
// less memory.
#pragma once

#include <memory>
#include <vector>

#include "core/pipeline/sink.h"
#include "shared/compression.h"

struct LZ4F_cctx_s;

namespace pgbackup {

class Lz4Sink final : public Sink {
 public:
  Lz4Sink(std::unique_ptr<Sink> next, const Compression& compression);
  ~Lz4Sink() override;

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

 private:
  struct FreeContext {
    void operator()(LZ4F_cctx_s* context) const noexcept;
  };
  // Writes the frame's header before anything else.
  void BeginFrame();
  // Passes on what a call of the library has put into the buffer.
  void PassOn(size_t size_or_error);

  std::unique_ptr<Sink> next_;
  const int level_;
  std::unique_ptr<LZ4F_cctx_s, FreeContext> context_;
  std::vector<std::byte> buffer_;
  bool begun_ = false;
};

}  // namespace pgbackup
