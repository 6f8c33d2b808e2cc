#include "core/maintenance/janitor_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/json.h"
#include "core/maintenance/leftovers.h"
#include "core/manifest/manifest.h"
#include "core/ownership/claim.h"
#include "core/ownership/lease.h"
#include "core/storage/object_probe.h"

namespace pgbackup {
namespace {

namespace json = boost::json;

// What to do with a kind of leftover of one folder: remove `count` of them, or `kept` says why not.
struct Finding {
  const char* what;  // objects, uploads, foreign
  uint64_t count = 0;
  uint64_t bytes = 0;
  std::string kept = {};
};

// Removes something and counts it, as kept when the storage does not allow it (an object lock).
void Do(const std::function<void()>& removal, uint64_t bytes, Finding* removed, Finding* kept) {
  Finding* outcome = removed;
  try {
    removal();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDenied) throw;
    if (kept->kept.empty()) kept->kept = error.message();
    outcome = kept;
  }
  ++outcome->count;
  outcome->bytes += bytes;
}

class Janitor {
 public:
  Janitor(const JanitorJob& job, const RunContext& context)
      : job_(job), storage_(context.open_storage(context.cancellation)) {}

  json::array Look();
  json::array Remove();

 private:
  WallTime Limit() const { return storage_->Now() - std::chrono::seconds(job_.older_than); }
  Leftovers Survey(const std::string& prefix, std::vector<ObjectInfo>* ours = nullptr);
  void RemoveObjects(const std::string& folder);
  void RemoveUploads(const std::string& folder);
  std::string WhyNotOurs(const std::string& folder);
  void Report(const std::string& folder, const Finding& finding);
  void ReportForeign(const std::string& folder, const FolderContents& contents);

  const JanitorJob& job_;
  const std::unique_ptr<Storage> storage_;
  json::array found_;
};

// The storage's clock is asked after a first answer, which brings its time.
Leftovers Janitor::Survey(const std::string& prefix, std::vector<ObjectInfo>* ours) {
  std::vector<UnfinishedUpload> uploads;
  storage_->ListUnfinished(prefix, [&](const auto& upload) { uploads.push_back(upload); });
  Leftovers leftovers(Limit());
  for (const UnfinishedUpload& upload : uploads) leftovers.Add(upload);
  const auto add = [&](const ObjectInfo& object) {
    leftovers.Add(object);
    if (ours != nullptr && (IsOurs(object.name) || IsMarks(object.name))) ours->push_back(object);
  };
  storage_->ListReadable(prefix, add, [&](const std::string& folder, const Error& why) {
    if (prefix.empty()) Report(folder, {"unreadable", 0, 0, why.message()});
  });
  return leftovers;
}

void Janitor::Report(const std::string& folder, const Finding& finding) {
  json::object entry;
  entry["folder"] = JsonText(std::string_view(folder));
  entry["what"] = finding.what;
  entry["probe"] = IsInProbeFolder(folder);
  entry["count"] = finding.count;
  entry["bytes"] = finding.bytes;
  entry["kept"] =
      finding.kept.empty() ? json::value(nullptr) : JsonText(std::string_view(finding.kept));
  found_.push_back(std::move(entry));
}

void Janitor::ReportForeign(const std::string& folder, const FolderContents& contents) {
  if (contents.foreign == 0) return;
  Report(folder, {"foreign", contents.foreign, 0, "not written by pgbackup"});
}

json::array Janitor::Look() {
  const Leftovers leftovers = Survey("");
  for (const auto& [folder, contents] : leftovers.folders()) {
    const bool has_leftovers = Leftovers::HasOnlyLeftovers(contents);
    if (contents.uploads == 0 && !has_leftovers) continue;
    const std::string kept = WhyNotOurs(folder);
    if (contents.uploads > 0) Report(folder, {"uploads", contents.uploads, 0, kept});
    if (!has_leftovers) continue;
    Report(folder, {"objects", contents.ours + contents.marks, contents.bytes, kept});
    ReportForeign(folder, contents);
  }
  return std::move(found_);
}

// Why this server removes nothing from the folder; empty when it may. A folder without a claim is
// nobody's, and then it takes this server's own lease, if there is a marker at all.
std::string Janitor::WhyNotOurs(const std::string& folder) {
  if (IsInProbeFolder(folder)) return {};
  Instance writer = job_.instance;
  try {
    const std::optional<Claim> claim = ReadClaim(*storage_, folder);
    if (claim && claim->instance.token.empty()) return {};  // of a command line, which has ended
    if (claim) writer = claim->instance;
    if (!claim && !ReadLease(*storage_, writer.token)) return {};
    RequireLease(*storage_, writer, job_.instance);
    return {};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDenied && error.kind() != ErrorKind::kUnavailable &&
        error.kind() != ErrorKind::kCorrupt)
      throw;
    return error.message();
  }
}

// Removes the objects of a folder, unless it is no leftover any more.
void Janitor::RemoveObjects(const std::string& folder) {
  std::vector<ObjectInfo> ours;
  const Leftovers leftovers = Survey(folder + "/", &ours);
  const auto contents = leftovers.folders().find(folder);
  if (contents == leftovers.folders().end() || !Leftovers::HasOnlyLeftovers(contents->second) ||
      storage_->Head(ManifestObjectName(folder)) || !WhyNotOurs(folder).empty())
    return;
  // The claim last: it says whose the others are.
  std::stable_partition(ours.begin(), ours.end(), [](const ObjectInfo& object) {
    return !object.name.ends_with(kClaimName);
  });
  Finding removed{"objects"}, kept{"objects"};
  for (const ObjectInfo& object : ours) {
    if (FolderOf(object.name) != folder) continue;
    Do([&] { storage_->Delete(object.name); }, object.size, &removed, &kept);
  }
  if (removed.count > 0) Report(folder, removed);
  if (kept.count > 0) Report(folder, kept);
  ReportForeign(folder, contents->second);
}

void Janitor::RemoveUploads(const std::string& folder) {
  if (!WhyNotOurs(folder).empty()) return;
  std::vector<UnfinishedUpload> uploads;
  storage_->ListUnfinished(folder + "/", [&](const UnfinishedUpload& upload) {
    if (FolderOf(upload.name) == folder && IsOurs(upload)) uploads.push_back(upload);
  });
  const Leftovers leftovers(Limit());
  Finding removed{"uploads"}, kept{"uploads"};
  for (const UnfinishedUpload& upload : uploads) {
    if (!leftovers.IsOld(upload)) continue;
    Do([&] { storage_->AbortUnfinished(upload); }, 0, &removed, &kept);
  }
  if (removed.count > 0) Report(folder, removed);
  if (kept.count > 0) Report(folder, kept);
}

json::array Janitor::Remove() {
  // Uploads first: where the storage is a directory, the last object takes its folder along.
  for (const std::string& folder : job_.upload_folders) RemoveUploads(folder);
  for (const std::string& folder : job_.folders) RemoveObjects(folder);
  return std::move(found_);
}

}  // namespace

RunOutcome RunJanitor(const JanitorJob& job, const RunContext& context) {
  try {
    context.progress.SetPhase(job.remove ? "removing" : "listing");
    Janitor janitor(job, context);
    RunOutcome outcome;
    outcome.fields["found"] = job.remove ? janitor.Remove() : janitor.Look();
    return outcome;
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
