#include "core/dump/dump_lane.h"

#include <fmt/format.h>

#include "core/archive/packing_sink.h"
#include "core/dump/dumped_archive.h"
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
      DumpedArchive contents(context.names, context.output.progress.tables);
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
