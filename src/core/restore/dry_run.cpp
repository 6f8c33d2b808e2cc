#include "core/restore/dry_run.h"

#include <fmt/format.h>

#include <functional>
#include <mutex>
#include <optional>
#include <set>

#include "core/base/byte_size.h"
#include "core/base/first_failure.h"
#include "core/base/json.h"
#include "core/base/lanes.h"
#include "core/integrity/object_proof.h"
#include "core/postgres/quoting.h"
#include "core/restore/plan/findings.h"

namespace pgbackup {
namespace {

// All that the proofs of the objects have told.
struct Proved {
  uint64_t objects = 0;
  uint64_t stored_bytes = 0;
  uint64_t raw_bytes = 0;
  uint64_t archives = 0;
  uint64_t entries = 0;
  uint64_t tables = 0;
};

// The entries that the restore takes of an object, when it does not take all of them.
std::optional<std::string> ListOfObject(const RestoreContents& contents, size_t object) {
  if (contents.parts.empty() || contents.parts[object].take != ObjectPart::Take::kListed)
    return std::nullopt;
  return contents.parts[object].list;
}

Proved ProveAll(const std::set<size_t>& objects, const DryRunContext& context) {
  const ObjectProofContext proof_context{context.programs,      context.storage,
                                         context.job.file_name, context.manifest,
                                         context.run.progress,  context.run.cancellation};
  std::mutex mutex;
  Findings damaged;
  Proved proved;
  const auto prove = [&](size_t index) {
    const ManifestObject& object = context.manifest.objects[index];
    Findings found;
    ObjectProof proof;
    found.Try(
        [&] { proof = ProveObject(object, ListOfObject(context.contents, index), proof_context); });
    const std::lock_guard lock(mutex);
    damaged.Add(found);
    ++proved.objects;
    proved.stored_bytes += object.Size();
    proved.raw_bytes += object.raw_size;
    proved.archives += proof.entries ? 1 : 0;
    proved.entries += proof.entries.value_or(0);
    proved.tables += proof.tables;
  };
  std::vector<std::function<void()>> lanes;
  for (const size_t object : objects) lanes.emplace_back([&prove, object] { prove(object); });
  FirstFailure failure(context.run.cancellation);
  RunLanes(lanes, static_cast<size_t>(context.job.options.jobs), failure, context.run.cancellation);
  failure.Rethrow();
  damaged.ThrowIfAny(fmt::format("backup {} is damaged", context.manifest.id));
  return proved;
}

std::string Counted(uint64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// Seconds as people say them.
std::string InTimeUnits(uint64_t seconds) {
  if (seconds < 120) return Counted(seconds < 1 ? 1 : seconds, "second");
  if (seconds < 7200) return Counted(seconds / 60, "minute");
  return Counted(seconds / 3600, "hour");
}

std::string TargetLine(RestoreTarget target, const RestoreJob& job) {
  if (job.options.into_schema)
    return fmt::format(
        "Schema \"{}\" would be filled in database \"{}\", which else stays as it is.",
        *job.options.into_schema, job.target_database);
  switch (target) {
    case RestoreTarget::kReplaced:
      return fmt::format("Database \"{}\" would be replaced and kept under another name.",
                         job.target_database);
    case RestoreTarget::kEmpty:
      return fmt::format("Database \"{}\", which is empty, would be filled.", job.target_database);
    case RestoreTarget::kNew:
      break;
  }
  return fmt::format("Database \"{}\" would be made.", job.target_database);
}

std::string DiskLine(const Preflight& preflight) {
  std::string line = preflight.disk_needed == 0 ? "How much room it takes on the disk is unknown"
                                                : fmt::format("It takes about {} on the disk",
                                                              InByteUnits(preflight.disk_needed));
  if (preflight.disk_free) line += fmt::format("; {} are free", InByteUnits(*preflight.disk_free));
  return line + ".";
}

std::string TimeLine(const DryRunContext& context, const Proved& proved) {
  const uint64_t rate = context.job.raw_bytes_per_second;
  if (rate == 0) return "How long it takes is unknown: nothing was restored here before.";
  return fmt::format("It takes about {}, going by earlier restores.",
                     InTimeUnits(proved.raw_bytes / rate));
}

std::string DetailOf(const Preflight& preflight, RestoreTarget target, const Proved& proved,
                     const DryRunContext& context) {
  std::string detail = TargetLine(target, context.job);
  const auto add = [&](const std::string& line) { detail += "\n" + line; };
  if (!preflight.roles.roles.empty()) {
    std::string roles =
        fmt::format("Roles would be created: {}", QuotedList(preflight.roles.roles));
    if (!preflight.roles.superusers.empty())
      roles += fmt::format("; superusers: {}", QuotedList(preflight.roles.superusers));
    add(roles + ".");
  }
  add(
      fmt::format("{} would be read, {}, {} when decompressed; size, SHA-256 and compression are "
                  "right.",
                  Counted(proved.objects, "object"), InByteUnits(proved.stored_bytes),
                  InByteUnits(proved.raw_bytes)));
  if (proved.archives > 0)
    add(fmt::format("pg_restore lists {} in {}.",
                    proved.entries == 1 ? "1 entry" : fmt::format("{} entries", proved.entries),
                    Counted(proved.archives, "archive")));
  add(DiskLine(preflight));
  add(TimeLine(context, proved));
  for (const std::string& note : context.notes) add(fmt::format("Note: {}.", note));
  return detail;
}

}  // namespace

RunOutcome DryRun(const Preflight& preflight, RestoreTarget target, const DryRunContext& context) {
  context.run.progress.SetPhase("reading");
  context.run.progress.total_bytes = BytesToRead(context.manifest, preflight.plan);
  context.run.progress.BeginData(context.run.environment.Now());
  const Proved proved = ProveAll(ObjectsToRead(preflight.plan), context);
  context.run.progress.EndData(context.run.environment.Now());
  const std::string tables =
      proved.archives == 0 ? "all of the backup" : Counted(proved.tables, "table");
  const std::string message =
      fmt::format("nothing was changed: {} would be restored into {} database \"{}\", {} to read",
                  tables, target == RestoreTarget::kNew ? "the new" : "the",
                  context.job.target_database, InByteUnits(proved.stored_bytes));
  RunOutcome outcome;
  outcome.fields["message"] = JsonText(std::string_view(message));
  outcome.fields["detail"] =
      JsonText(std::string_view(DetailOf(preflight, target, proved, context)));
  return outcome;
}

}  // namespace pgbackup
