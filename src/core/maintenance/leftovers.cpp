#include "core/maintenance/leftovers.h"

#include "core/manifest/manifest.h"
#include "core/manifest/object_names.h"
#include "core/storage/file_writer.h"
#include "core/storage/object_probe.h"

namespace pgbackup {
namespace {

std::string_view LeafOf(std::string_view name) noexcept {
  const size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

// Every run has a folder: what lies at the top of the storage is somebody else's. So is a name that
// no storage of ours gives, such as one with two slashes in a row.
bool MayBeOurs(const std::string& name) noexcept {
  return name.find('/') != std::string::npos && IsValidObjectName(name);
}

}  // namespace

std::string FolderOf(const std::string& name) {
  const size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

bool IsOurs(const std::string& name) noexcept {
  return MayBeOurs(name) &&
         (IsBackupObjectName(LeafOf(name)) || LeafOf(name) == kClaimName || IsProbeObject(name));
}

bool IsMarks(const std::string& name) noexcept {
  return MayBeOurs(name) && LeafOf(name) == kMarksName;
}

bool IsOurs(const UnfinishedUpload& upload) noexcept {
  const std::string_view leaf = LeafOf(upload.name);
  return IsOurs(upload.name) ||
         (MayBeOurs(upload.name) && (leaf == kManifestName || IsTemporaryName(leaf)));
}

void Leftovers::Add(const ObjectInfo& object) {
  FolderContents& folder = folders_[FolderOf(object.name)];
  if (!object.modified || *object.modified > limit_) folder.is_young = true;
  if (LeafOf(object.name) == kManifestName) {
    folder.has_manifest = true;
  } else if (IsOurs(object.name)) {
    if (LeafOf(object.name) == kClaimName) folder.has_claim = true;
    ++folder.ours;
    folder.bytes += object.size;
  } else if (IsMarks(object.name)) {
    ++folder.marks;
  } else {
    ++folder.foreign;
  }
}

void Leftovers::Add(const UnfinishedUpload& upload) {
  FolderContents& folder = folders_[FolderOf(upload.name)];
  if (!IsOld(upload))
    folder.is_young = true;
  else if (IsOurs(upload))
    ++folder.uploads;
}

bool Leftovers::IsOld(const UnfinishedUpload& upload) const noexcept {
  return upload.touched && *upload.touched <= limit_;
}

}  // namespace pgbackup
