#include "core/pipeline/lz4_sink.h"

#include <fmt/format.h>
#include <lz4frame.h>

#include <algorithm>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr size_t kLz4ChunkSize = 256 << 10;  // of input, in one call

LZ4F_preferences_t Preferences(int level) {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.blockSizeID = LZ4F_max256KB;
  preferences.frameInfo.blockMode = LZ4F_blockLinked;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  preferences.compressionLevel = level;
  return preferences;
}

size_t Lz4Checked(size_t code) {
  if (LZ4F_isError(code) != 0)
    throw Error(ErrorKind::kInternal,
                fmt::format("could not compress: {}", LZ4F_getErrorName(code)));
  return code;
}

}  // namespace

void Lz4Sink::FreeContext::operator()(LZ4F_cctx_s* context) const noexcept {
  LZ4F_freeCompressionContext(context);
}

Lz4Sink::Lz4Sink(std::unique_ptr<Sink> next, const Compression& compression)
    : next_(std::move(next)), level_(compression.level) {
  LZ4F_cctx_s* context = nullptr;
  Lz4Checked(LZ4F_createCompressionContext(&context, LZ4F_VERSION));
  context_.reset(context);
  const LZ4F_preferences_t preferences = Preferences(level_);
  buffer_.resize(
      std::max<size_t>(LZ4F_compressBound(kLz4ChunkSize, &preferences), LZ4F_HEADER_SIZE_MAX));
}

Lz4Sink::~Lz4Sink() = default;

void Lz4Sink::PassOn(size_t size_or_error) {
  next_->Write(std::span(buffer_.data(), Lz4Checked(size_or_error)));
}

void Lz4Sink::BeginFrame() {
  const LZ4F_preferences_t preferences = Preferences(level_);
  begun_ = true;
  PassOn(LZ4F_compressBegin(context_.get(), buffer_.data(), buffer_.size(), &preferences));
}

void Lz4Sink::Write(std::span<const std::byte> data) {
  if (!begun_) BeginFrame();
  while (!data.empty()) {
    const std::span<const std::byte> chunk = data.first(std::min(data.size(), kLz4ChunkSize));
    PassOn(LZ4F_compressUpdate(context_.get(), buffer_.data(), buffer_.size(), chunk.data(),
                               chunk.size(), nullptr));
    data = data.subspan(chunk.size());
  }
}

void Lz4Sink::Finish() {
  if (!begun_) BeginFrame();
  PassOn(LZ4F_compressEnd(context_.get(), buffer_.data(), buffer_.size(), nullptr));
  next_->Finish();
}

}  // namespace pgbackup
