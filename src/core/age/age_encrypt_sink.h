// Encrypts what passes as one age file. A full chunk is held back until more bytes come, because
// the last one is marked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/age/encryption_keys.h"
#include "core/age/payload.h"
#include "core/base/environment.h"
#include "core/pipeline/sink.h"

namespace pgbackup {

class AgeEncryptSink final : public Sink {
 public:
  // Makes a file key of its own and wraps it for `keys`.
  AgeEncryptSink(std::unique_ptr<Sink> next, const EncryptionKeys& keys, Environment& environment);

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

 private:
  struct Begin {
    std::string header;
    std::array<std::byte, kPayloadNonceSize> nonce;
    FileKey key;
  };
  static Begin MakeBegin(const EncryptionKeys& keys, Environment& environment);
  AgeEncryptSink(std::unique_ptr<Sink> next, const Begin& begin);

  void Seal(ChunkPlace place);

  std::unique_ptr<Sink> next_;
  ChunkCipher cipher_;
  std::vector<std::byte> chunk_, sealed_;
  size_t filled_ = 0;      // of chunk_
  size_t begin_size_ = 0;  // of what stands in sealed_ before the first chunk
};

}  // namespace pgbackup
