#include "core/age/age_encrypt_sink.h"

#include <algorithm>

#include "core/base/sha256.h"

namespace pgbackup {

AgeEncryptSink::Begin AgeEncryptSink::MakeBegin(const EncryptionKeys& keys,
                                                Environment& environment) {
  Begin begin;
  environment.FillRandom(begin.key);
  environment.FillRandom(begin.nonce);
  begin.header = AgeHeaderText(keys.Wrap(begin.key, environment), begin.key);
  return begin;
}

AgeEncryptSink::AgeEncryptSink(std::unique_ptr<Sink> next, const EncryptionKeys& keys,
                               Environment& environment)
    : AgeEncryptSink(std::move(next), MakeBegin(keys, environment)) {}

AgeEncryptSink::AgeEncryptSink(std::unique_ptr<Sink> next, const Begin& begin)
    : next_(std::move(next)),
      cipher_(begin.key, begin.nonce),
      chunk_(kChunkSize),
      begin_size_(begin.header.size() + begin.nonce.size()) {
  const auto header = AsBytes(begin.header);
  sealed_.assign(header.begin(), header.end());
  sealed_.insert(sealed_.end(), begin.nonce.begin(), begin.nonce.end());
  sealed_.resize(begin_size_ + kSealedChunkSize);
}

void AgeEncryptSink::Write(std::span<const std::byte> data) {
  while (!data.empty()) {
    if (filled_ == kChunkSize) Seal(ChunkPlace::kInside);
    const size_t size = std::min(data.size(), kChunkSize - filled_);
    std::copy_n(data.begin(), size, chunk_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += size;
    data = data.subspan(size);
  }
}

void AgeEncryptSink::Seal(ChunkPlace place) {
  const std::span<std::byte> out(sealed_);
  cipher_.Seal(place, std::span(chunk_.data(), filled_), out.subspan(begin_size_));
  next_->Write(out.first(begin_size_ + filled_ + ChaCha20Poly1305::kTagSize));
  begin_size_ = 0;
  filled_ = 0;
}

void AgeEncryptSink::Finish() {
  Seal(ChunkPlace::kLast);
  next_->Finish();
}

}  // namespace pgbackup
