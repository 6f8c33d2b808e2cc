// What a check tries of a directory besides writing and reading an object: permissions, syncing,
// free space.
#pragma once

#include <string>

#include "core/storage/object_probe.h"

namespace pgbackup {

class FileProbe {
 public:
  // `root` is the storage's directory.
  FileProbe(std::string root, Storage& storage, const ProbeRequest& request, ProbeReport& report)
      : root_(std::move(root)),
        request_(request),
        report_(report),
        objects_(storage, request, report) {}

  // See Storage::Probe.
  bool Run();

 private:
  ProbeFinding Directory();
  ProbeFinding Permissions() const;
  ProbeFinding Sync() const;
  ProbeFinding FreeSpace() const;
  std::string url() const { return "file://" + root_; }

  const std::string root_;
  const ProbeRequest& request_;
  ProbeReport& report_;
  ObjectProbe objects_;
  bool made_root_ = false;
};

}  // namespace pgbackup
