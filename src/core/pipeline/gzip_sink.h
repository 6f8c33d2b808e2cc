// Compresses into one gzip member (RFC 1952), which carries a CRC-32 of the content.
#pragma once

#include <memory>
#include <vector>

#include "core/pipeline/sink.h"
#include "shared/compression.h"

struct z_stream_s;

namespace pgbackup {

class GzipSink final : public Sink {
 public:
  GzipSink(std::unique_ptr<Sink> next, const Compression& compression);
  ~GzipSink() override;

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

 private:
  struct FreeStream {
    void operator()(z_stream_s* stream) const noexcept;
  };
  // Runs the compressor until it wants more input (or, with Z_FINISH, has ended).
  void Deflate(int flush);

  std::unique_ptr<Sink> next_;
  std::vector<std::byte> buffer_;
  std::unique_ptr<z_stream_s, FreeStream> stream_;
};

}  // namespace pgbackup
