// A storage that takes only so many bytes of all objects together: pgbackup.max_size.
#pragma once

#include <atomic>

#include "core/storage/forwarding_storage.h"

namespace pgbackup {

class SizeLimit final : public ForwardingStorage {
 public:
  // `limit` in bytes; 0: none.
  SizeLimit(Storage& next, uint64_t limit) : ForwardingStorage(next), limit_(limit) {}

  // The sink's Write throws kInvalid as soon as the limit is exceeded.
  std::unique_ptr<Sink> Put(const std::string& name, const PutOptions& options) override;

 private:
  const uint64_t limit_;
  std::atomic<uint64_t> taken_{0};
};

}  // namespace pgbackup
