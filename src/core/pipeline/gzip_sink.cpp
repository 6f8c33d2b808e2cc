#include "core/pipeline/gzip_sink.h"

#include <zlib.h>

#include "core/base/error.h"
#include "core/pipeline/zlib_input.h"

namespace pgbackup {
namespace {

constexpr size_t kGzipBufferSize = 256 << 10;
constexpr int kMemLevel = 8;  // zlib's default

}  // namespace

void GzipSink::FreeStream::operator()(z_stream_s* stream) const noexcept {
  deflateEnd(stream);
  delete stream;
}

GzipSink::GzipSink(std::unique_ptr<Sink> next, const Compression& compression)
    : next_(std::move(next)), buffer_(kGzipBufferSize), stream_(new z_stream()) {
  if (deflateInit2(stream_.get(), compression.level, Z_DEFLATED, kGzipWindowBits, kMemLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    throw Error(ErrorKind::kInternal, "could not create a gzip compressor");
  ResetOutput(stream_.get(), buffer_);
}

GzipSink::~GzipSink() = default;

void GzipSink::Deflate(int flush) {
  int code = Z_OK;
  do {
    code = deflate(stream_.get(), flush);
    if (code == Z_STREAM_ERROR) throw Error(ErrorKind::kInternal, "could not compress: zlib");
    if (stream_->avail_out == 0 || code == Z_STREAM_END) {
      next_->Write(std::span(buffer_.data(), buffer_.size() - stream_->avail_out));
      ResetOutput(stream_.get(), buffer_);
    }
  } while (flush == Z_FINISH ? code != Z_STREAM_END : stream_->avail_in > 0);
}

void GzipSink::Write(std::span<const std::byte> data) {
  while (!data.empty()) {
    data = GiveInput(stream_.get(), data);
    Deflate(Z_NO_FLUSH);
  }
}

void GzipSink::Finish() {
  Deflate(Z_FINISH);
  next_->Finish();
}

}  // namespace pgbackup
