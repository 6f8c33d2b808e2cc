#include "core/pipeline/lz4_decode_sink.h"

#include <lz4frame.h>

#include "core/base/error.h"
#include "core/pipeline/damaged_object.h"

namespace pgbackup {

void Lz4DecodeSink::FreeContext::operator()(LZ4F_dctx_s* context) const noexcept {
  LZ4F_freeDecompressionContext(context);
}

Lz4DecodeSink::Lz4DecodeSink(std::unique_ptr<Sink> next, std::string name)
    : next_(std::move(next)), name_(std::move(name)), buffer_(256 << 10) {
  LZ4F_dctx_s* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0)
    throw Error(ErrorKind::kInternal, "could not create an LZ4 context");
  context_.reset(context);
}

Lz4DecodeSink::~Lz4DecodeSink() = default;

void Lz4DecodeSink::Write(std::span<const std::byte> data) {
  bool output_was_full = false;
  while (!data.empty() || output_was_full) {
    size_t produced = buffer_.size();
    size_t consumed = data.size();
    const size_t code =
        LZ4F_decompress(context_.get(), buffer_.data(), &produced, data.data(), &consumed, nullptr);
    if (LZ4F_isError(code) != 0) throw CannotDecompress(name_, LZ4F_getErrorName(code));
    next_->Write(std::span(buffer_.data(), produced));
    data = data.subspan(consumed);
    at_frame_end_ = code == 0;
    // A full output buffer may hide more; at the end of a frame nothing is hidden.
    output_was_full = produced == buffer_.size() && !at_frame_end_;
  }
}

void Lz4DecodeSink::Finish() {
  if (!at_frame_end_) throw EndsTooEarly(name_);
  next_->Finish();
}

}  // namespace pgbackup
