#include "core/pipeline/zstd_sink.h"

#include <fmt/format.h>
#include <zstd.h>

#include "core/base/error.h"
#include "core/pipeline/zstd_decode_sink.h"

namespace pgbackup {
namespace {

constexpr size_t kZstdBufferSize = 256 << 10;

size_t ZstdChecked(size_t code) {
  if (ZSTD_isError(code))
    throw Error(ErrorKind::kInternal,
                fmt::format("could not compress: {}", ZSTD_getErrorName(code)));
  return code;
}

}  // namespace

void ZstdSink::FreeContext::operator()(ZSTD_CCtx_s* context) const noexcept {
  ZSTD_freeCCtx(context);
}

ZstdSink::ZstdSink(std::unique_ptr<Sink> next, const Compression& compression)
    : next_(std::move(next)), context_(ZSTD_createCCtx()), buffer_(kZstdBufferSize) {
  if (!context_) throw Error(ErrorKind::kInternal, "could not create a zstd context");
  ZstdChecked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, compression.level));
  ZstdChecked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
  if (compression.long_distance) {
    ZstdChecked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_enableLongDistanceMatching, 1));
    ZstdChecked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, kZstdWindowLog));
  }
}

ZstdSink::~ZstdSink() = default;

void ZstdSink::Flush() {
  next_->Write(std::span(buffer_.data(), filled_));
  filled_ = 0;
}

void ZstdSink::Write(std::span<const std::byte> data) {
  ZSTD_inBuffer in{data.data(), data.size(), 0};
  while (in.pos < in.size) {
    ZSTD_outBuffer out{buffer_.data(), buffer_.size(), filled_};
    ZstdChecked(ZSTD_compressStream2(context_.get(), &out, &in, ZSTD_e_continue));
    filled_ = out.pos;
    if (filled_ == buffer_.size()) Flush();
  }
}

void ZstdSink::Finish() {
  ZSTD_inBuffer in{nullptr, 0, 0};
  size_t left = 0;
  do {
    ZSTD_outBuffer out{buffer_.data(), buffer_.size(), filled_};
    left = ZstdChecked(ZSTD_compressStream2(context_.get(), &out, &in, ZSTD_e_end));
    filled_ = out.pos;
    Flush();
  } while (left != 0);
  next_->Finish();
}

}  // namespace pgbackup
