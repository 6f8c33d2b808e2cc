// The options that say where backups are: --storage and --s3-….
#pragma once

#include <CLI/App.hpp>

#include "core/storage_backends/open_storage.h"

namespace pgbackup {

class StorageOptions {
 public:
  // What reading takes; --storage, which PGBACKUP_STORAGE in the environment may stand for.
  void AddTo(CLI::App& command);
  // What writing takes besides.
  void AddWritingTo(CLI::App& command);

  const StorageSettings& settings() const noexcept { return settings_; }

 private:
  StorageSettings settings_;
};

}  // namespace pgbackup
