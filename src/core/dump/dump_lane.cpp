#include "core/dump/dump_lane.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "core/archive/packing_sink.h"
#include "core/fingerprint/large_object_fingerprint.h"
#include "core/fingerprint/row_fingerprint.h"
#include "core/pipeline/pump.h"
#include "core/process/child_process.h"
#include "core/process/tool_error.h"

namespace pgbackup {
namespace {

ChildSpec SpecFor(const DumpObject& object, const DumpLaneContext& context) {
  ChildSpec spec;
  spec.program = FindProgram(context.programs, object.program);
  spec.environment = context.programs.environment;
  spec.pipe_output = true;
  spec.arguments = {fmt::format("--dbname={}", context.connection), "--no-password"};
  if (object.kind == ObjectKind::kGlobals)
    spec.arguments.push_back(fmt::format("--database={}", context.maintenance_connection));
  spec.arguments.insert(spec.arguments.end(), object.arguments.begin(), object.arguments.end());
  return spec;
}

// What an archive holds, as it streams past.
class ArchiveContents final : public ArchiveObserver {
 public:
  ArchiveContents(const ArchiveNames& names_in_utf8, TableProgress& progress)
      : names_in_utf8_(names_in_utf8), progress_(progress) {}

  void OnEntry(TocEntry entry) override {
    tables_.Add(entry);
    if (entry.kind != "TABLE DATA") return;
    const QualifiedName name{entry.schema, entry.tag};
    names_.try_emplace(entry.id, name);
    // Configuration tables of extensions are never planned.
    progress_.Meet(NameInUtf8(name, names_in_utf8_));
  }
  void OnData(int64_t entry_id, std::span<const std::byte> data) override {
    if (entry_id != entry_id_) {
      EndTable();
      BeginTable(entry_id);
    }
    rows_.Add(data);
  }
  void OnLargeObject(uint32_t oid) override {
    EndTable();
    large_objects_.Begin(oid);
  }
  void OnLargeObjectData(std::span<const std::byte> data) override { large_objects_.Add(data); }

  const ArchiveTables& tables() const noexcept { return tables_; }
  std::vector<TableFingerprint> TakeFingerprints() {
    EndTable();
    const RowFingerprint objects = large_objects_.Finish();
    if (objects.rows > 0) fingerprints_.push_back({LargeObjectsName(), objects});
    return std::move(fingerprints_);
  }

 private:
  void BeginTable(int64_t entry_id) {
    entry_id_ = entry_id;
    if (const auto name = names_.find(entry_id_); name != names_.end())
      progress_.Begin(NameInUtf8(name->second, names_in_utf8_));
  }
  void EndTable() {
    const RowFingerprint rows = rows_.Finish();
    const auto name = names_.find(std::exchange(entry_id_, kNoEntry));
    if (name == names_.end()) return;
    fingerprints_.push_back({name->second, rows});
    progress_.End(NameInUtf8(name->second, names_in_utf8_));
  }

  static constexpr int64_t kNoEntry = -1;

  const ArchiveNames& names_in_utf8_;
  TableProgress& progress_;
  ArchiveTables tables_;
  std::map<int64_t, QualifiedName> names_;  // of the tables whose rows it holds
  int64_t entry_id_ = kNoEntry;             // whose rows are streaming past
  RowFingerprinter rows_;
  LargeObjectFingerprinter large_objects_;
  std::vector<TableFingerprint> fingerprints_;
};

}  // namespace

ManifestObject RunDumpLane(const DumpObject& object, const DumpLaneContext& context) {
  LaneOutput output(object, context.output);
  const auto check_end = [&](ChildProcess& child) {
    const ExitStatus status = child.Wait(context.cancellation);
    if (!status.Succeeded())
      throw ToolError(object.program, output.name(), status, child.ErrorTail());
  };
  ChildProcess child(SpecFor(object, context));
  try {
    if (object.kind == ObjectKind::kArchive) {
      ArchiveContents contents(context.names, context.output.progress.tables);
      PackingSink packing(output.sink(), contents, output.name());
      Pump(child.output(), packing, context.cancellation);
      check_end(child);
      packing.Finish();
      CheckArchive(contents.tables(), object.expected, output.name());
      output.SetFingerprints(contents.TakeFingerprints());
    } else {
      Pump(child.output(), output.sink(), context.cancellation);
      check_end(child);
    }
    return output.Finish();
  } catch (...) {
    child.Stop();
    output.Abort();
    throw;
  }
}

}  // namespace pgbackup
