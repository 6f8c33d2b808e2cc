#include "core/age/age_decrypt_sink.h"

#include <algorithm>

#include "core/pipeline/damaged_object.h"

namespace pgbackup {

AgeDecryptSink::AgeDecryptSink(std::unique_ptr<Sink> next, std::string name,
                               const DecryptionKeys& keys)
    : next_(std::move(next)),
      name_(std::move(name)),
      keys_(keys),
      sealed_(kSealedChunkSize),
      chunk_(kChunkSize) {}

// Returns what follows the header.
std::span<const std::byte> AgeDecryptSink::TakeHeader(std::span<const std::byte> data) {
  const size_t had = header_.size();
  header_.append(reinterpret_cast<const char*>(data.data()), data.size());
  const size_t size = AgeHeaderSize(header_, name_);
  if (size == std::string::npos) return {};
  key_.emplace(
      keys_.Unwrap(ParseAgeHeader(std::string_view(header_).substr(0, size), name_), name_));
  header_ = {};
  return data.subspan(size - had);
}

std::span<const std::byte> AgeDecryptSink::TakeNonce(std::span<const std::byte> data) {
  const size_t size = std::min(data.size(), kPayloadNonceSize - filled_);
  std::copy_n(data.begin(), size, sealed_.begin() + static_cast<std::ptrdiff_t>(filled_));
  filled_ += size;
  if (filled_ == kPayloadNonceSize) {
    cipher_.emplace(*key_, std::span<const std::byte, kPayloadNonceSize>(sealed_.data(), filled_));
    filled_ = 0;
  }
  return data.subspan(size);
}

void AgeDecryptSink::Write(std::span<const std::byte> data) {
  if (!key_) data = TakeHeader(data);
  if (!cipher_) data = TakeNonce(data);
  while (!data.empty()) {
    if (filled_ == kSealedChunkSize) Open(ChunkPlace::kInside);
    const size_t size = std::min(data.size(), kSealedChunkSize - filled_);
    std::copy_n(data.begin(), size, sealed_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += size;
    data = data.subspan(size);
  }
}

void AgeDecryptSink::Open(ChunkPlace place) {
  const std::span<const std::byte> sealed(sealed_.data(), filled_);
  const ChunkPlace other = place == ChunkPlace::kLast ? ChunkPlace::kInside : ChunkPlace::kLast;
  const bool is_here = cipher_->Open(place, sealed, chunk_);
  // What is not the end is full.
  const bool may_be_other = filled_ == kSealedChunkSize;
  if (!is_here && !(may_be_other && cipher_->Open(other, sealed, chunk_)))
    throw DamagedObject(name_, "Its encrypted data was changed, or is cut off.");
  const size_t size = filled_ - ChaCha20Poly1305::kTagSize;
  filled_ = 0;
  // Only an empty file ends with an empty chunk.
  if (size == 0 && cipher_->done() > 1)
    throw DamagedObject(name_, "Its encrypted data ends with an empty piece.");
  next_->Write(std::span(chunk_.data(), size));
  if (!is_here)
    throw DamagedObject(name_, place == ChunkPlace::kLast ? "Its encrypted data ends too early."
                                                          : "Something follows its end.");
}

void AgeDecryptSink::Finish() {
  if (!cipher_) ThrowBadHeader(name_);
  if (filled_ < ChaCha20Poly1305::kTagSize)
    throw DamagedObject(name_, "Its encrypted data ends too early.");
  Open(ChunkPlace::kLast);
  next_->Finish();
}

}  // namespace pgbackup
