// Whose folder it is: a small object that a run writes before any other, on condition that there is
// none.
//
// Every run has a random key. What lies in a folder belongs to the run whose key its claim names:
// no other run writes there, and nothing in it is removed on behalf of another. Folders do not
// nest.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/manifest/instance.h"
#include "core/manifest/manifest.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct Claim {
  std::string run_key;
  Instance instance = {};
  int64_t id = 0;  // of the run
  std::string database = {};
  std::string cluster = {};     // its name
  std::string claimed_at = {};  // RFC 3339
};

// A run key: 32 lower-case hexadecimal digits.
std::string NewRunKey(Environment& environment);
bool IsRunKey(std::string_view text) noexcept;

std::string ClaimObjectName(const std::string& folder);

// The claim of `folder`; none when nobody has claimed it, as before there were claims. kCorrupt
// when there is one that cannot be read.
std::optional<Claim> ReadClaim(Storage& storage, const std::string& folder);

enum class ClaimOutcome {
  kNew,      // the folder holds nothing of a backup but the claim
  kWasOurs,  // an earlier attempt of this run has claimed it, and may have left objects
};

// Makes `folder` that of the run `claim` names. Throws kAlreadyExists, and leaves nothing, when it
// is another run's, holds a backup or objects of one, or would lie in another backup's folder or
// contain one. Where the storage does not create atomically, several that claim one folder at the
// same moment may all return, and all but one fail before their manifest is stored
// (CheckBeforeManifest): names of objects that could be the same must carry the key (WithRunKey).
ClaimOutcome ClaimFolder(Storage& storage, const std::string& folder, const Claim& claim);

// That `folder` is the run's; kAlreadyExists when it is another's, kUnavailable when the claim is
// gone.
void CheckClaim(Storage& storage, const std::string& folder, const std::string& run_key);

// Names, with their folder, and sizes in bytes.
using ObjectSizes = std::map<std::string, uint64_t>;
ObjectSizes ObjectSizesOf(const Manifest& manifest, const std::string& folder);

// The last thing before a manifest is stored: that the folder is still the run's and every object
// of `stored` is there with its size. Throws as CheckClaim, and kUnavailable for an object.
void CheckBeforeManifest(Storage& storage, const std::string& folder, const std::string& run_key,
                         const ObjectSizes& stored);

// What SweepFolder did.
struct SweepReport {
  uint64_t objects = 0;             // objects deleted
  uint64_t unfinished_uploads = 0;  // multipart uploads aborted, temporary files removed
};

// Removes from `folder`, and not from folders below it, what a backup consists of, also what is
// unfinished: the manifest first, so that a half-removed backup never looks whole, and the claim
// last, so that it stays clear whose the rest is. Other objects stay. Whoever calls has made sure
// that the folder is theirs to remove.
SweepReport SweepFolder(Storage& storage, const std::string& folder);

// Removes so what a failed run has left in the folder it has claimed, in the storage that `open`
// opens. Throws nothing: false, and a line in the log, when it could not.
bool SweepQuietly(const std::function<std::unique_ptr<Storage>()>& open, const std::string& folder,
                  const std::string& run_key, const std::function<void(const std::string&)>& log);

}  // namespace pgbackup
