// A directory as storage: file:///absolute/path.
//
// Directories are 0700 and files 0600. An object is written under a temporary name beside its final
// one (".pgbackup-RANDOM.tmp"), fsync'd, renamed, and every directory whose entries changed is
// fsync'd: what Finish has returned for survives a power cut. The root is created on the first Put;
// its parent must exist, so that a missing mount point is noticed instead of filling the disk below
// it. Paths are walked from the root by descriptor and symbolic links below it are never followed:
// nothing outside the root is read, written or removed.
// A folder goes with the last file in it: folders are not objects. A folder "lost+found" at the top
// that may not be looked into is the file system's own, and taken for empty.
#pragma once

#include <string>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/storage/directory.h"
#include "core/storage/storage.h"
#include "core/storage/throttle.h"

namespace pgbackup {

class FileStorage final : public Storage {
 public:
  // `root` is an absolute path; `environment` (for random names), `cancellation` and `throttle`, if
  // any, outlive this.
  FileStorage(std::string root, Environment& environment, const Cancellation& cancellation,
              Throttle* throttle = nullptr);

  const std::string& url() const override { return url_; }
  uint64_t MaxObjectSize() const override { return INT64_MAX; }
  WallTime Now() const override { return environment_.Now(); }
  std::unique_ptr<Sink> Put(const std::string& name, const PutOptions& options) override;
  void Get(const std::string& name, Sink& to, uint64_t offset, uint64_t length) override;
  std::optional<ObjectInfo> Head(const std::string& name) override;
  void List(const std::string& prefix, const std::function<void(const ObjectInfo&)>& each) override;
  void ListReadable(const std::string& prefix, const EachObject& each,
                    const EachUnlisted& unlisted) override;
  void Delete(const std::string& name) override;
  void ListUnfinished(const std::string& prefix,
                      const std::function<void(const UnfinishedUpload&)>& each) override;
  void AbortUnfinished(const UnfinishedUpload& upload) override;
  bool CreatesAtomically() const override { return true; }
  bool Probe(const ProbeRequest& request, ProbeReport& report) override;

 private:
  using EachFile = std::function<void(const std::string& name, const DirectoryEntry& entry)>;

  void Walk(const std::string& prefix, const EachFile& each, const EachUnlisted* unlisted) const;
  void RemoveFileAt(const std::string& name) const;
  void RemoveEmptyFolders(std::string_view folder) const;

  std::string root_;
  std::string url_;
  Environment& environment_;
  const Cancellation& cancellation_;
  Throttle* const throttle_;
};

}  // namespace pgbackup
