// The options that say what encrypts and what decrypts: only names of files and public keys.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "core/age/encryption.h"

namespace pgbackup {

class EncryptionOptions {
 public:
  // What reading takes.
  void AddReadingTo(CLI::App& command);
  // What writing takes.
  void AddWritingTo(CLI::App& command);

  EncryptionSettings settings() const;

 private:
  void AddPassphraseTo(CLI::App& command, const char* description);

  std::vector<std::string> recipients_;
  std::string identity_file_, passphrase_file_;
};

}  // namespace pgbackup
