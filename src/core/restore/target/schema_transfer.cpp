#include "core/restore/target/schema_transfer.h"

#include <fmt/format.h>

#include "core/pipeline/fd_sink.h"
#include "core/pipeline/pump.h"
#include "core/postgres/quoting.h"
#include "core/process/child_process.h"
#include "core/process/tool_error.h"

namespace pgbackup {
namespace {

ChildSpec ProgramSpec(const std::string& program, const ConnectionSettings& settings,
                      const Programs& programs) {
  ChildSpec spec;
  spec.program = FindProgram(programs, program);
  spec.environment = programs.environment;
  spec.arguments = {fmt::format("--dbname={}", ConnectionString(settings)), "--no-password"};
  return spec;
}

// Names are UTF-8 here, in the archive and in the arguments.
ChildSpec DumpSpec(const SchemaTransfer& transfer, const Programs& programs) {
  ChildSpec spec = ProgramSpec("pg_dump", transfer.from, programs);
  for (const std::string& argument :
       {std::string("--format=custom"), std::string("--compress=0"), std::string("--encoding=UTF8"),
        fmt::format("--schema={}", QuoteIdentifier(transfer.schema))})
    spec.arguments.push_back(argument);
  spec.pipe_output = true;
  return spec;
}

ChildSpec RestoreSpec(const SchemaTransfer& transfer, const Programs& programs) {
  ChildSpec spec = ProgramSpec("pg_restore", transfer.to, programs);
  spec.arguments.emplace_back("--single-transaction");
  // Selected by name, a schema's contents come without the schema itself.
  if (transfer.exists) spec.arguments.push_back(fmt::format("--schema={}", transfer.schema));
  spec.pipe_input = true;
  return spec;
}

}  // namespace

void TransferSchema(const SchemaTransfer& transfer, const Programs& programs,
                    const Cancellation& cancellation) {
  const std::string what = fmt::format("schema {}", QuoteIdentifier(transfer.schema));
  const auto check = [&](ChildProcess& child, const char* program) {
    const ExitStatus status = child.Wait(cancellation);
    if (!status.Succeeded()) throw ToolError(program, what, status, child.ErrorTail());
  };
  ChildProcess restore(RestoreSpec(transfer, programs));
  ChildProcess dump(DumpSpec(transfer, programs));
  FdSink input(restore.TakeInput(), cancellation,
               /*reader_gone=*/[&] { check(restore, "pg_restore"); });
  try {
    Pump(dump.output(), input, cancellation);
    check(dump, "pg_dump");
  } catch (...) {
    restore.Stop();  // before its input ends, which it could take for a success
    dump.Stop();
    input.Abort();
    throw;
  }
  input.Finish();
  check(restore, "pg_restore");
}

}  // namespace pgbackup
