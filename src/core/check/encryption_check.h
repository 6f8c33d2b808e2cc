// Tries whether what is encrypted can be decrypted again.
#pragma once

#include "core/age/encryption.h"
#include "core/base/environment.h"
#include "core/storage/probe_report.h"

namespace pgbackup {

// Encrypts a few bytes as a backup would be and, when there is a key for it, decrypts them.
// Throws what is wrong with the settings or their files.
ProbeFinding TryEncryption(const EncryptionSettings& settings, Environment& environment);

}  // namespace pgbackup
