// Compresses into one zstd frame (RFC 8878) with a content checksum.
//
// One single-threaded context a sink: the lanes already run beside each other, and zstd's own
// workers gained nothing. Memory depends on the level only (level 3: about 4 MB), with
// long-distance matching on the window of 128 MiB too, which the reader needs as well.
#pragma once

#include <memory>
#include <vector>

#include "core/pipeline/sink.h"
#include "shared/compression.h"

struct ZSTD_CCtx_s;

namespace pgbackup {

class ZstdSink final : public Sink {
 public:
  ZstdSink(std::unique_ptr<Sink> next, const Compression& compression);
  ~ZstdSink() override;

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

 private:
  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
  };
  // Passes the collected output on.
  void Flush();

  std::unique_ptr<Sink> next_;
  std::unique_ptr<ZSTD_CCtx_s, FreeContext> context_;
  std::vector<std::byte> buffer_;
  size_t filled_ = 0;
};

}  // namespace pgbackup
