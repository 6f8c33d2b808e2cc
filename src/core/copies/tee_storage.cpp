#include "core/copies/tee_storage.h"

#include <algorithm>

#include "core/pipeline/tee_sink.h"

namespace pgbackup {

TeeStorage::TeeStorage(Storage& primary, const CopyTargets& copies)
    : ForwardingStorage(primary), copies_(copies), max_object_size_(primary.MaxObjectSize()) {
  for (const auto& copy : copies_)
    max_object_size_ = std::min(max_object_size_, copy->MaxObjectSize());
}

std::unique_ptr<Sink> TeeStorage::Put(const std::string& name, const PutOptions& options) {
  std::unique_ptr<Sink> first = ForwardingStorage::Put(name, options);
  if (copies_.empty()) return first;
  std::vector<std::unique_ptr<Sink>> others;
  for (const auto& copy : copies_) others.push_back(copy->Begin(name));
  return std::make_unique<TeeSink>(std::move(first), std::move(others));
}

}  // namespace pgbackup
