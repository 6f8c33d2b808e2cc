#include "core/pipeline/verify_sink.h"

#include <fmt/format.h>

#include "core/pipeline/damaged_object.h"

namespace pgbackup {

VerifySink::VerifySink(Sink& next, std::string name, uint64_t size, std::string sha256)
    : next_(next),
      name_(std::move(name)),
      expected_size_(size),
      expected_sha256_(std::move(sha256)) {}

void VerifySink::Write(std::span<const std::byte> data) {
  size_ += data.size();
  if (size_ > expected_size_)
    throw DamagedObject(
        name_, fmt::format("It is longer than the {} bytes that were stored.", expected_size_));
  hash_.Update(data);
  next_.Write(data);
}

void VerifySink::Finish() {
  if (size_ != expected_size_)
    throw DamagedObject(name_,
                        fmt::format("It has {} bytes, {} were stored.", size_, expected_size_));
  const std::string sha256 = ToHex(hash_.Finish());
  if (sha256 != expected_sha256_)
    throw DamagedObject(
        name_, fmt::format("Its SHA-256 is {}, the manifest says {}.", sha256, expected_sha256_));
}

}  // namespace pgbackup
