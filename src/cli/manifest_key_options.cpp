#include "cli/manifest_key_options.h"

#include <CLI/Option.hpp>

namespace pgbackup {
namespace {

constexpr const char* kTrustGroup = "Signed manifests";

}  // namespace

void ManifestKeyOptions::AddFileTo(CLI::App& command, const char* description) {
  command.add_option("--manifest-key-file", settings_.file, description)
      ->type_name("FILE")
      ->envname("PGBACKUP_MANIFEST_KEY_FILE")
      ->group(kTrustGroup);
}

void ManifestKeyOptions::AddReadingTo(CLI::App& command) {
  AddFileTo(command, "Use only backups whose manifest is signed with a key of this file");
  command
      .add_flag("--allow-unsigned", settings_.allow_unsigned,
                "Also use backups whose manifest is not signed at all")
      ->group(kTrustGroup);
}

void ManifestKeyOptions::AddWritingTo(CLI::App& command) {
  AddFileTo(command, "Sign the manifest with the first key of this file");
}

}  // namespace pgbackup
