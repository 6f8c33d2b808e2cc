// Small files that somebody else wrote: credentials, keys, tokens.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace pgbackup {

struct SmallFile {
  std::string text;
  mode_t mode = 0;
  uid_t owner = 0;
};

// A whole file; nullopt when it is missing. `failed` begins every message ("could not read …").
// Throws kDenied for one that cannot be read, kInvalid for what is no regular file of sensible
// size.
std::optional<SmallFile> ReadSmallFile(const std::string& path, const std::string& failed);

// Who may read a file besides its owner.
enum class FilePrivacy {
  kPrivate,   // nobody; of root's, its group, as Kubernetes mounts secrets
  kReadable,  // anybody; nobody else may write it
};

// Throws kDenied, with the command that mends it, for a file that others may read or write against
// the rule, or that belongs neither to root nor to the user this process runs as.
void CheckPrivacy(const std::string& path, const SmallFile& file, FilePrivacy privacy,
                  const std::string& failed);

// A file that has to be there and is kPrivate. `setting` names it. Throws as the two above do, and
// kNotFound.
SmallFile ReadPrivateFile(const std::string& path, const std::string& failed, const char* setting);

}  // namespace pgbackup
