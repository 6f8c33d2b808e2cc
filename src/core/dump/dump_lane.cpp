#include "core/dump/dump_lane.h"

#include <fmt/format.h>

#include "core/manifest/object_names.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/count_sink.h"
#include "core/pipeline/pump.h"
#include "core/pipeline/segment_sink.h"
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
  ManifestObject result;
  result.name = fmt::format("{}{}", object.name, CodecSuffix(context.compression.codec));
  result.kind = object.kind;
  result.sections = object.sections;

  auto segments = std::make_unique<SegmentSink>(context.storage,
                                                fmt::format("{}/{}", context.folder, result.name),
                                                &context.progress.stored_bytes);
  const SegmentSink& stored = *segments;
  CountSink chain(MakeEncoder(std::move(segments), context.compression),
                  &context.progress.raw_bytes);
  ChildProcess child(SpecFor(object, context));
  try {
    Pump(child.output(), chain, context.cancellation);
    const ExitStatus status = child.Wait(context.cancellation);
    if (!status.Succeeded())
      throw ToolError(object.program, result.name, status, child.ErrorTail());
    chain.Finish();
  } catch (...) {
    child.Stop();
    chain.Abort();
    throw;
  }
  result.raw_size = chain.bytes();
  for (Segment segment : stored.segments()) {
    segment.name.erase(0, context.folder.size() + 1);
    result.segments.push_back(std::move(segment));
  }
  return result;
}

}  // namespace pgbackup
