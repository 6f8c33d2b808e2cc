// Writes, reads, lists and deletes a small object, as backups and restores do: the part of a check
// that every storage has in common.
#pragma once

#include <string>
#include <string_view>

#include "core/storage/probe_report.h"
#include "core/storage/storage.h"

namespace pgbackup {

// The folder, at the top of a storage, below which every probe has a folder of its own.
inline constexpr std::string_view kProbeFolder = ".pgbackup-check";

// Objects of a probe, in its folder.
inline constexpr std::string_view kProbeObject = "probe-object";
inline constexpr std::string_view kProbeMultipart = "probe-multipart";

// Removes whatever a probe has left in its folder.
void RemoveProbeFolder(Storage& storage, const std::string& folder);

bool IsInProbeFolder(std::string_view folder) noexcept;
// Whether a name is one that a probe gives.
bool IsProbeObject(std::string_view name) noexcept;

class ObjectProbe {
 public:
  // Everything passed by reference outlives the probe.
  ObjectProbe(Storage& storage, const ProbeRequest& request, ProbeReport& report)
      : storage_(storage), request_(request), report_(report) {}

  // Each of these adds rows.
  void WriteAndRead();
  // `absent`, unless it is empty, is an object of the probe that does not exist yet: it is written
  // first, on the condition that it does not.
  void WriteIfAbsent(std::string_view absent = {});
  // Deletes the objects; false when something may be left.
  bool Delete();
  // Somebody else has written the object kProbeMultipart: Delete has to find out.
  void NoteMultipart() noexcept { may_be_left_ = true; }

  // Rows that say why there are no others: instead of the first two, and of all three.
  void SkipWrites(const std::string& why);
  void SkipAll(const std::string& why);

  bool is_written() const noexcept { return is_written_; }
  std::string Name(std::string_view leaf) const {
    return request_.folder + "/" + std::string(leaf);
  }

 private:
  void WriteObject(std::string_view leaf, const PutOptions& options);
  ProbeFinding Put();
  ProbeFinding Get();
  ProbeFinding GetRange();
  ProbeFinding List();
  ProbeFinding Head();

  Storage& storage_;
  const ProbeRequest& request_;
  ProbeReport& report_;
  std::string content_;
  bool is_written_ = false;
  bool may_be_left_ = false;
  bool can_look_ = false;
};

}  // namespace pgbackup
