// How a file key is wrapped in a stanza (age-encryption.org/v1: "The X25519 recipient type", "The
// scrypt recipient type").
#pragma once

#include <optional>
#include <string_view>

#include "core/age/header.h"
#include "core/base/environment.h"

namespace pgbackup {

inline constexpr std::string_view kX25519Type = "X25519";
inline constexpr std::string_view kScryptType = "scrypt";
// The most that is accepted when reading: 1 GiB of memory.
inline constexpr int kLargestWorkFactor = 20;

// nullopt for a share of low order, which is nobody's recipient.
std::optional<Stanza> WrapForShare(const FileKey& key, const X25519Share& recipient,
                                   Environment& environment);
Stanza WrapForPassphrase(const FileKey& key, std::string_view passphrase, int work_factor,
                         Environment& environment);

// The file key, when the stanza, which is of the type, was made for this scalar or passphrase.
// kCorrupt, naming the object `name`, for one that is not as it must be.
std::optional<FileKey> UnwrapX25519(const Stanza& stanza, const SymmetricKey& scalar,
                                    std::string_view name);
std::optional<FileKey> UnwrapScrypt(const Stanza& stanza, std::string_view passphrase,
                                    std::string_view name);

}  // namespace pgbackup
