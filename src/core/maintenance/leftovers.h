// What lies in a storage and belongs to no backup: the judgement of the janitor. Pure, but for the
// listing it is fed with.
//
// Several clusters may share one storage, and a run of another one looks like a leftover until its
// manifest is there. So age is what tells them apart, and a thing whose age is unknown is young.
// Only names that pgbackup gives are ever its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/storage/storage.h"

namespace pgbackup {

// What one folder holds, not counting folders below it.
struct FolderContents {
  uint64_t ours = 0;     // objects with names of a backup's data or claim, or of a probe
  uint64_t marks = 0;    // marks: beside ours they are ours; alone, this name could be anybody's
  uint64_t foreign = 0;  // any other objects, manifests excepted
  uint64_t bytes = 0;    // of ours
  uint64_t uploads = 0;  // unfinished ones with names of ours, begun before the limit
  bool has_manifest = false;
  bool has_claim = false;
  bool is_young = false;  // something was written, or an upload begun, after the limit
};

// The folder of an object or upload, and whether it is one of ours.
std::string FolderOf(const std::string& name);
bool IsOurs(const std::string& name) noexcept;
bool IsMarks(const std::string& name) noexcept;
bool IsOurs(const UnfinishedUpload& upload) noexcept;

class Leftovers {
 public:
  // Nothing written after `limit`, a time by the storage's clock, is a leftover.
  explicit Leftovers(WallTime limit) : limit_(limit) {}

  void Add(const ObjectInfo& object);
  void Add(const UnfinishedUpload& upload);

  bool IsOld(const UnfinishedUpload& upload) const noexcept;
  // Whether the objects of a folder are what an unfinished run has left.
  static bool HasOnlyLeftovers(const FolderContents& folder) noexcept {
    return folder.ours > 0 && !folder.has_manifest && !folder.is_young;
  }
  const std::map<std::string, FolderContents>& folders() const noexcept { return folders_; }

 private:
  WallTime limit_;
  std::map<std::string, FolderContents> folders_;
};

}  // namespace pgbackup
