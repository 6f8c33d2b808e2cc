// Decrypts an age file and passes its content on, chunk by chunk, each only after its tag has held.
//
// Write throws kDenied when none of the keys opens it, kCorrupt for what is no age file or was
// changed; Finish throws kCorrupt when it has no proper end. A full chunk is held back until more
// bytes come.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/age/decryption_keys.h"
#include "core/age/payload.h"
#include "core/pipeline/sink.h"

namespace pgbackup {

class AgeDecryptSink final : public Sink {
 public:
  // `name` is the object's, for messages. `keys` outlive the sink.
  AgeDecryptSink(std::unique_ptr<Sink> next, std::string name, const DecryptionKeys& keys);

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

 private:
  std::span<const std::byte> TakeHeader(std::span<const std::byte> data);
  std::span<const std::byte> TakeNonce(std::span<const std::byte> data);
  void Open(ChunkPlace place);

  std::unique_ptr<Sink> next_;
  const std::string name_;
  const DecryptionKeys& keys_;
  std::string header_;
  std::optional<FileKey> key_;         // from the end of the header on
  std::optional<ChunkCipher> cipher_;  // from the end of the nonce on
  std::vector<std::byte> sealed_, chunk_;
  size_t filled_ = 0;  // of sealed_, in which the nonce is gathered, too
};

}  // namespace pgbackup
