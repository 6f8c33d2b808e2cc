#include "core/restore/load/restore_lane.h"

#include <fmt/format.h>

#include "core/manifest/stored_object.h"
#include "core/pipeline/fd_sink.h"
#include "core/process/child_process.h"
#include "core/process/tool_error.h"
#include "core/restore/load/pg_restore_log.h"
#include "core/restore/plan/root_rewrite.h"
#include "core/restore/plan/tables_to_load.h"

namespace pgbackup {
namespace {

// Makes `file` a descriptor of the child and returns its path there. Descriptors are inherited as
// 3, 4, …; each worker of pg_restore -j opens the path anew.
std::string Inherit(const MemoryFile& file, ChildSpec* spec) {
  spec->inherited.push_back(file.fd());
  return fmt::format("/proc/self/fd/{}", 2 + spec->inherited.size());
}

ChildSpec SpecFor(const RestoreTask& task, const MemoryFile* file, const MemoryFile* list,
                  const RestoreLaneContext& context) {
  ChildSpec spec;
  spec.program = FindProgram(context.programs, task.program);
  spec.environment = context.programs.environment;
  spec.arguments = {fmt::format("--dbname={}", ConnectionString(context.settings)),
                    "--no-password"};
  spec.arguments.insert(spec.arguments.end(), task.arguments.begin(), task.arguments.end());
  if (list != nullptr)
    spec.arguments.push_back(fmt::format("--use-list={}", Inherit(*list, &spec)));
  if (file == nullptr)
    spec.pipe_input = true;
  else
    spec.arguments.push_back(Inherit(*file, &spec));
  return spec;
}

}  // namespace

void RunRestoreLane(const RestoreTask& task, const MemoryFile* file,
                    const RestoreLaneContext& context) {
  const ManifestObject& object = context.manifest.objects[task.object];
  const std::unique_ptr<MemoryFile> list =
      task.list ? std::make_unique<MemoryFile>(*task.list) : nullptr;
  PgRestoreLog log([&](RestoreError error) { context.errors->Add(std::move(error)); });
  ChildSpec spec = SpecFor(task, file, list.get(), context);
  if (context.errors != nullptr)
    spec.on_error_output = [&](std::string_view text) { log.Append(text); };
  ChildProcess child(spec);
  bool was_refused = false;
  const auto check_end = [&] {
    const ExitStatus status = child.Wait(context.cancellation);
    const bool went_on = context.errors != nullptr && log.Finish() && status.ExitedWith(1);
    if (status.Succeeded() || went_on) return;
    was_refused = true;
    throw ToolError(task.program, task.what, status, child.ErrorTail());
  };
  if (file == nullptr) {
    std::unique_ptr<Sink> input = std::make_unique<FdSink>(child.TakeInput(), context.cancellation,
                                                           /*reader_gone=*/check_end);
    if (object.kind == ObjectKind::kArchive && context.part != nullptr &&
        !context.part->roots.empty())
      input = std::make_unique<RootRewrite>(std::move(input), *context.part);
    if (object.kind == ObjectKind::kArchive)
      input = std::make_unique<TableWatch>(std::move(input), task.list, context.names,
                                           context.progress.tables);
    const std::unique_ptr<Sink> chain = ContentChain(std::move(input), object, context.progress);
    try {
      ReadStoredObject(context.storage, context.folder, object, *chain);
    } catch (...) {
      child.Stop();  // before its input ends, which it could take for a success
      chain->Abort();
      if (was_refused) CheckIsUndamaged(context.storage, context.folder, object);
      throw;
    }
  }
  check_end();
}

}  // namespace pgbackup
