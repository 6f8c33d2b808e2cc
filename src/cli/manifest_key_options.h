// The options that say which manifests are signed and believed.
#pragma once

#include <CLI/App.hpp>

#include "core/manifest/manifest_key.h"

namespace pgbackup {

class ManifestKeyOptions {
 public:
  // What reading takes.
  void AddReadingTo(CLI::App& command);
  // What writing takes.
  void AddWritingTo(CLI::App& command);

  const ManifestKeySettings& settings() const noexcept { return settings_; }

 private:
  void AddFileTo(CLI::App& command, const char* description);

  ManifestKeySettings settings_;
};

}  // namespace pgbackup
