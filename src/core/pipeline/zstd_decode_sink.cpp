#include "core/pipeline/zstd_decode_sink.h"

#include <zstd.h>

#include "core/base/error.h"
#include "core/pipeline/damaged_object.h"

namespace pgbackup {

void ZstdDecodeSink::FreeContext::operator()(ZSTD_DCtx_s* context) const noexcept {
  ZSTD_freeDCtx(context);
}

ZstdDecodeSink::ZstdDecodeSink(std::unique_ptr<Sink> next, std::string name)
    : next_(std::move(next)),
      name_(std::move(name)),
      context_(ZSTD_createDCtx()),
      buffer_(256 << 10) {
  if (!context_) throw Error(ErrorKind::kInternal, "could not create a zstd context");
  if (ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kZstdWindowLog)))
    throw Error(ErrorKind::kInternal, "could not set up a zstd context");
}

ZstdDecodeSink::~ZstdDecodeSink() = default;

void ZstdDecodeSink::Write(std::span<const std::byte> data) {
  ZSTD_inBuffer in{data.data(), data.size(), 0};
  bool output_was_full = false;
  while (in.pos < in.size || output_was_full) {
    ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
    const size_t code = ZSTD_decompressStream(context_.get(), &out, &in);
    if (ZSTD_isError(code)) throw CannotDecompress(name_, ZSTD_getErrorName(code));
    next_->Write(std::span(buffer_.data(), out.pos));
    at_frame_end_ = code == 0;
    // A full output buffer may hide more; at the end of a frame nothing is hidden.
    output_was_full = out.pos == out.size && code != 0;
  }
}

void ZstdDecodeSink::Finish() {
  if (!at_frame_end_) throw EndsTooEarly(name_);
  next_->Finish();
}

}  // namespace pgbackup
