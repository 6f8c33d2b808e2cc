#include "core/pipeline/gzip_decode_sink.h"

#include <zlib.h>

#include "core/base/error.h"
#include "core/pipeline/damaged_object.h"
#include "core/pipeline/zlib_input.h"

namespace pgbackup {
void GzipDecodeSink::FreeStream::operator()(z_stream_s* stream) const noexcept {
  inflateEnd(stream);
  delete stream;
}

GzipDecodeSink::GzipDecodeSink(std::unique_ptr<Sink> next, std::string name)
    : next_(std::move(next)), name_(std::move(name)), buffer_(256 << 10), stream_(new z_stream()) {
  if (inflateInit2(stream_.get(), kGzipWindowBits) != Z_OK)
    throw Error(ErrorKind::kInternal, "could not create a gzip decompressor");
}

GzipDecodeSink::~GzipDecodeSink() = default;

void GzipDecodeSink::Inflate() {
  bool output_was_full = false;
  while (stream_->avail_in > 0 || output_was_full) {
    if (at_member_end_) inflateReset(stream_.get());
    ResetOutput(stream_.get(), buffer_);
    const int code = inflate(stream_.get(), Z_NO_FLUSH);
    // Z_BUF_ERROR: there was nothing to do, the full buffer of before hid nothing.
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
      throw CannotDecompress(name_, stream_->msg != nullptr ? stream_->msg : zError(code));
    next_->Write(std::span(buffer_.data(), buffer_.size() - stream_->avail_out));
    at_member_end_ = code == Z_STREAM_END;
    output_was_full = stream_->avail_out == 0 && !at_member_end_;
  }
}

void GzipDecodeSink::Write(std::span<const std::byte> data) {
  while (!data.empty()) {
    data = GiveInput(stream_.get(), data);
    Inflate();
  }
}

void GzipDecodeSink::Finish() {
  if (!at_member_end_) throw EndsTooEarly(name_);
  next_->Finish();
}

}  // namespace pgbackup
