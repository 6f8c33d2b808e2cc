#include "core/ownership/claim.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/sha256.h"
#include "core/manifest/manifest_store.h"
#include "core/manifest/marks.h"
#include "core/manifest/object_names.h"
#include "core/storage/file_writer.h"
#include "core/storage/small_object.h"

namespace pgbackup {
namespace {

constexpr int kClaimVersion = 1;

constexpr const char* kUniqueNamesHint =
    "Let pgbackup.name_template hold {instance} and {id}, so that every run of every server has a "
    "folder of its own.";

std::string_view LeafOf(std::string_view name) noexcept {
  return name.substr(name.rfind('/') + 1);
}

bool MarksAFolder(std::string_view leaf) noexcept {
  return leaf == kManifestName || leaf == kClaimName;
}

std::string ClaimText(const Claim& claim) {
  boost::json::object object;
  object["version"] = kClaimVersion;
  object["run_key"] = claim.run_key;
  object["id"] = claim.id;
  object["database"] = JsonText(std::string_view(claim.database));
  object["cluster"] = JsonText(std::string_view(claim.cluster));
  object["claimed_at"] = claim.claimed_at;
  object["system_identifier"] = JsonText(std::string_view(claim.instance.system_identifier));
  object["instance"] = InstanceToJson(claim.instance);
  return boost::json::serialize(object) + "\n";
}

Claim ParseClaim(const std::string& text) {
  const boost::json::object object = ParseJsonObject(text, "the claim");
  const JsonReader reader(object, "the claim");
  Claim claim;
  claim.run_key = reader.Text("run_key");
  claim.id = reader.IntegerOr("id", 0);
  claim.database = reader.TextOr("database", "");
  claim.cluster = reader.TextOr("cluster", "");
  claim.claimed_at = reader.TextOr("claimed_at", "");
  claim.instance =
      InstanceFromJson(reader.Object("instance"), reader.TextOr("system_identifier", ""));
  return claim;
}

[[noreturn]] void ThrowTaken(const Storage& storage, const std::string& folder,
                             const Claim& owner) {
  throw Error(ErrorKind::kAlreadyExists,
              fmt::format("\"{}/{}\" belongs to another run", storage.url(), folder),
              fmt::format("Backup {} of database \"{}\" of cluster \"{}\" (system identifier {}, "
                          "instance {}) has claimed it at {}. It was left untouched.",
                          owner.id, owner.database, owner.cluster, owner.instance.system_identifier,
                          InstanceName(owner.instance), owner.claimed_at),
              kUniqueNamesHint);
}

[[noreturn]] void ThrowNested(const Storage& storage, const std::string& folder,
                              const std::string& other, const char* how) {
  throw Error(ErrorKind::kAlreadyExists,
              fmt::format("\"{}/{}\" cannot be a backup's folder", storage.url(), folder),
              fmt::format("It {} the folder of another backup, \"{}\".", how, other),
              "Let the last part of pgbackup.name_template hold {id}, so that no folder is the "
              "beginning of another.");
}

// That no backup lies above `folder`.
void CheckAbove(Storage& storage, const std::string& folder) {
  for (size_t slash = folder.rfind('/'); slash != std::string::npos && slash > 0;
       slash = folder.rfind('/', slash - 1)) {
    const std::string above = folder.substr(0, slash);
    if (storage.Head(ClaimObjectName(above)) || storage.Head(ManifestObjectName(above)))
      ThrowNested(storage, folder, above, "lies in");
  }
}

// That the folder holds no backup and nothing of one, nor a folder that does.
void CheckInside(Storage& storage, const std::string& folder, bool was_ours) {
  const size_t below = folder.size() + 1;
  storage.List(folder + "/", [&](const ObjectInfo& object) {
    const std::string_view leaf = LeafOf(object.name);
    const bool is_direct = object.name.size() == below + leaf.size();
    if (!is_direct && MarksAFolder(leaf))
      ThrowNested(storage, folder, object.name.substr(0, object.name.size() - leaf.size() - 1),
                  "contains");
    if (!is_direct) return;
    if (leaf == kManifestName) ThrowBackupExists(storage, folder);
    if (!was_ours && IsBackupObjectName(leaf))
      throw Error(ErrorKind::kAlreadyExists,
                  fmt::format("\"{}/{}\" holds objects of another run", storage.url(), folder),
                  fmt::format("Among them is \"{}\". They were left untouched.", leaf),
                  kUniqueNamesHint);
  });
}

// Unless another run has written its own over it.
void TakeBackClaim(Storage& storage, const std::string& folder, const Claim& claim) {
  const std::optional<Claim> there = ReadClaim(storage, folder);
  if (there && there->run_key == claim.run_key) storage.Delete(ClaimObjectName(folder));
}

// Returns whether the claim is new; throws when it is another run's.
bool PutClaim(Storage& storage, const std::string& folder, const Claim& claim) {
  try {
    WriteSmallObject(storage, ClaimObjectName(folder), ClaimText(claim), /*if_absent=*/true);
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kAlreadyExists) throw;
    // It is that of an earlier attempt, or of a request whose answer got lost.
    const std::optional<Claim> there = ReadClaim(storage, folder);
    if (!there) throw;
    if (there->run_key != claim.run_key) ThrowTaken(storage, folder, *there);
    return false;
  }
}

// From a folder that turned out to be another run's: objects whose names carry the key.
void RemoveObjectsOf(Storage& storage, const std::string& folder, const std::string& run_key) {
  std::vector<std::string> doomed;
  storage.List(folder + "/", [&](const ObjectInfo& object) {
    if (HasRunKey(LeafOf(object.name), run_key)) doomed.push_back(object.name);
  });
  for (const std::string& name : doomed) storage.Delete(name);
}

}  // namespace

std::string NewRunKey(Environment& environment) {
  std::array<std::byte, 16> random{};
  environment.FillRandom(random);
  return ToHex(random);
}

bool IsRunKey(std::string_view text) noexcept {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string ClaimObjectName(const std::string& folder) {
  return fmt::format("{}/{}", folder, kClaimName);
}

std::optional<Claim> ReadClaim(Storage& storage, const std::string& folder) {
  const std::optional<std::string> text = ReadSmallObject(storage, ClaimObjectName(folder));
  if (!text) return std::nullopt;
  try {
    return ParseClaim(*text);
  } catch (const Error& error) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the claim of \"{}/{}\" cannot be read", storage.url(), folder),
                fmt::format("{}.", error.message()),
                "Whose folder it is, is unknown, so it is left alone.");
  }
}

ClaimOutcome ClaimFolder(Storage& storage, const std::string& folder, const Claim& claim) {
  const bool is_new = PutClaim(storage, folder, claim);
  try {
    // Two that claim folders of which one contains the other look after they have claimed: one of
    // them sees the other at least.
    CheckInside(storage, folder, !is_new);
    CheckAbove(storage, folder);
    if (is_new && !storage.CreatesAtomically()) CheckClaim(storage, folder, claim.run_key);
  } catch (...) {
    if (is_new) TakeBackClaim(storage, folder, claim);
    throw;
  }
  return is_new ? ClaimOutcome::kNew : ClaimOutcome::kWasOurs;
}

void CheckClaim(Storage& storage, const std::string& folder, const std::string& run_key) {
  const std::optional<Claim> claim = ReadClaim(storage, folder);
  if (!claim)
    throw Error(
        ErrorKind::kUnavailable,
        fmt::format("\"{}/{}\" does not belong to this run any more", storage.url(), folder),
        fmt::format("{} is gone.", kClaimName),
        "Find out who removes objects from the storage while a backup runs.");
  if (claim->run_key != run_key) ThrowTaken(storage, folder, *claim);
}

ObjectSizes ObjectSizesOf(const Manifest& manifest, const std::string& folder) {
  ObjectSizes sizes;
  for (const ManifestObject& object : manifest.objects)
    for (const Segment& segment : object.segments)
      sizes[fmt::format("{}/{}", folder, segment.name)] = segment.size;
  return sizes;
}

void CheckBeforeManifest(Storage& storage, const std::string& folder, const std::string& run_key,
                         const ObjectSizes& stored) {
  CheckClaim(storage, folder, run_key);
  ObjectSizes listed;
  storage.List(folder + "/", [&](const ObjectInfo& object) { listed[object.name] = object.size; });
  for (const auto& [name, size] : stored) {
    const auto found = listed.find(name);
    if (found != listed.end() && found->second == size) continue;
    // A listing may lag behind.
    const std::optional<ObjectInfo> head = storage.Head(name);
    if (head && head->size == size) continue;
    throw Error(ErrorKind::kUnavailable,
                fmt::format("an object of this backup is not in the storage any more: \"{}/{}\"",
                            storage.url(), name),
                head ? fmt::format("It has {} bytes, {} were stored.", head->size, size)
                     : fmt::format("{} bytes were stored.", size),
                "Find out who changes or removes objects there while a backup runs.");
  }
}

SweepReport SweepFolder(Storage& storage, const std::string& folder) {
  SweepReport report;
  const std::string prefix = folder + "/";
  const auto remove = [&](const std::string& name) {
    storage.Delete(name);
    ++report.objects;
  };
  // Before the listing: whoever stores marks looks afterwards whether there is a manifest, and
  // takes them back when there is none.
  if (storage.IsRemovable(ManifestObjectName(folder))) remove(ManifestObjectName(folder));
  std::vector<std::string> doomed;
  bool has_claim = false, has_marks = false;
  storage.List(prefix, [&](const ObjectInfo& object) {
    const std::string_view leaf = LeafOf(object.name);
    if (object.name.size() != prefix.size() + leaf.size()) return;
    if (leaf == kClaimName) has_claim = true;
    if (leaf == kMarksName) has_marks = true;
    if (IsBackupObjectName(leaf)) doomed.push_back(object.name);
  });
  for (const std::string& name : doomed) remove(name);
  std::vector<UnfinishedUpload> uploads;
  storage.ListUnfinished(prefix, [&](const UnfinishedUpload& upload) {
    const std::string_view leaf = LeafOf(upload.name);
    if (upload.name.size() == prefix.size() + leaf.size() &&
        (IsBackupObjectName(leaf) || MarksAFolder(leaf) || leaf == kMarksName ||
         IsTemporaryName(leaf)))
      uploads.push_back(upload);
  });
  for (const UnfinishedUpload& upload : uploads) {
    storage.AbortUnfinished(upload);
    ++report.unfinished_uploads;
  }
  // The bucket's own rules may have locked them later than the rest.
  if (has_marks) remove(MarksObjectName(folder));
  if (has_claim) remove(ClaimObjectName(folder));
  return report;
}

bool SweepQuietly(const std::function<std::unique_ptr<Storage>()>& open, const std::string& folder,
                  const std::string& run_key, const std::function<void(const std::string&)>& log) {
  try {
    const std::unique_ptr<Storage> storage = open();
    const std::optional<Claim> claim = ReadClaim(*storage, folder);
    if (!claim) return false;
    if (claim->run_key == run_key)
      SweepFolder(*storage, folder);
    else
      RemoveObjectsOf(*storage, folder, run_key);
    return true;
  } catch (const std::exception& error) {
    log(fmt::format("could not remove the unfinished backup \"{}\": {}", folder, error.what()));
    return false;
  }
}

}  // namespace pgbackup
