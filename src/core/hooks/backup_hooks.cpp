#include "core/hooks/backup_hooks.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/deadline.h"
#include "core/base/utf8.h"
#include "core/postgres/postgres_connection.h"
#include "core/postgres/session_rights.h"
#include "core/process/child_process.h"
#include "core/process/program.h"

namespace pgbackup {
namespace {

constexpr const char* kHookHint =
    "Run the command by hand, as the operating system user that runs PostgreSQL; docs/hooks.md "
    "says what it is given.";

std::string Seconds(std::chrono::milliseconds time) {
  return fmt::format("{} s", std::max<int64_t>(1, time.count() / 1000));
}

void RunCommand(const std::string& name, const std::vector<std::string>& argv,
                std::vector<std::string> environment, std::chrono::milliseconds time,
                const Cancellation* cancellation) {
  if (argv.empty()) return;
  ChildSpec spec;
  spec.program = argv.front();
  spec.arguments.assign(argv.begin() + 1, argv.end());
  spec.environment = std::move(environment);
  spec.directory = std::string(1, '/');
  const Deadline limit(time, cancellation);
  ChildProcess child(spec);
  ExitStatus status;
  try {
    status = child.Wait(limit.cancellation());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCancelled || !limit.IsOver()) throw;
    child.Stop();
    throw Error(ErrorKind::kTool, fmt::format("{} took longer than {}", name, Seconds(time)),
                child.ErrorTail(), "Raise pgbackup.hook_timeout, or find out what it waits for.");
  }
  if (status.Succeeded()) return;
  const std::string tail = child.ErrorTail();
  const std::string last = tail.substr(tail.rfind('\n') + 1);
  throw Error(ErrorKind::kTool,
              fmt::format("{} {}{}{}", name, status.InWords(), last.empty() ? "" : ": ", last),
              tail, kHookHint);
}

void RunSql(const std::string& name, const std::string& sql, const BackupJob& job,
            std::chrono::milliseconds time, const Cancellation* cancellation) {
  if (sql.empty()) return;
  const Deadline limit(time, cancellation);
  try {
    PostgresConnection connection(SettingsFor(job.server, job.database), limit.cancellation());
    CheckConfinement(connection, job.server);
    connection.Execute(sql);
  } catch (const Error& error) {
    if (limit.IsOver())
      throw Error(ErrorKind::kDatabase, fmt::format("{} took longer than {}", name, Seconds(time)),
                  {}, "Raise pgbackup.hook_timeout, or find out what it waits for.");
    if (error.kind() == ErrorKind::kCancelled) throw;
    throw Error(error.kind(), fmt::format("{} failed: {}", name, error.message()), error.detail(),
                error.hint());
  }
}

std::chrono::milliseconds TimeOf(const BackupJob& job) {
  return std::chrono::seconds(job.hooks.timeout_s);
}

// Runs `hook`; adds what went wrong to `remarks`.
template <typename Hook>
void Try(Hook hook, const RunContext& context, std::string* remarks) {
  try {
    hook();
  } catch (const std::exception& error) {
    if (const auto* ours = dynamic_cast<const Error*>(&error); ours && !ours->detail().empty())
      context.log(ours->detail());
    *remarks += fmt::format("{}{}", remarks->empty() ? "" : "; ", error.what());
  }
}

}  // namespace

std::vector<std::string> HookEnvironment(const BackupJob& job, const HookResult& result,
                                         const Environment& environment) {
  const Programs programs = MakePrograms({}, environment);
  std::vector<std::string> variables = {programs.environment.front(), "LANG=C", "LC_ALL=C"};
  if (const auto home = environment.Variable("HOME"))
    variables.push_back(fmt::format("HOME={}", *home));
  const auto add = [&](const char* name, std::string value) {
    // Nothing that an environment cannot hold.
    value.erase(std::remove(value.begin(), value.end(), '\0'), value.end());
    variables.push_back(fmt::format("PGBACKUP_{}={}", name, value));
  };
  add("PHASE", result.status.empty() ? "pre" : "post");
  add("ID", std::to_string(job.id));
  add("DATABASE", job.database);
  add("TYPE", job.backup_type);
  add("SCHEDULE", job.schedule.value_or(""));
  add("LABEL", job.label.value_or(""));
  add("CLUSTER", job.cluster.name);
  add("ENVIRONMENT", job.cluster.environment);
  add("STORAGE", job.storage.url.substr(0, job.storage.url.find('?')));
  add("FILE_NAME", job.file_name);
  if (result.status.empty()) return variables;
  add("STATUS", result.status);
  add("MESSAGE", ToValidUtf8(CutUtf8(result.message, 4000)));
  if (result.file_size) add("FILE_SIZE", std::to_string(*result.file_size));
  return variables;
}

void RunPreHooks(const BackupJob& job, const RunContext& context) {
  if (job.hooks.pre_command.empty() && job.hooks.pre_sql.empty()) return;
  context.progress.SetPhase("before the backup", /*has_own_limit=*/true);
  RunCommand("pgbackup.pre_backup_command", job.hooks.pre_command,
             HookEnvironment(job, {}, context.environment), TimeOf(job), &context.cancellation);
  RunSql("pgbackup.pre_backup_sql", job.hooks.pre_sql, job, TimeOf(job), &context.cancellation);
}

std::string RunPostHooks(const BackupJob& job, const HookResult& result, const RunContext& context,
                         const Cancellation* cancellation,
                         std::optional<std::chrono::milliseconds> most) noexcept {
  std::string remarks;
  try {
    if (job.hooks.post_command.empty() && job.hooks.post_sql.empty()) return {};
    context.progress.SetPhase("after the backup", /*has_own_limit=*/true);
    const auto end = context.environment.SteadyNow() + most.value_or(2 * TimeOf(job));
    const auto time = [&] {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          end - context.environment.SteadyNow());
      return std::clamp(left, std::chrono::milliseconds(0), TimeOf(job));
    };
    Try([&] { RunSql("pgbackup.post_backup_sql", job.hooks.post_sql, job, time(), cancellation); },
        context, &remarks);
    Try(
        [&] {
          RunCommand("pgbackup.post_backup_command", job.hooks.post_command,
                     HookEnvironment(job, result, context.environment), time(), cancellation);
        },
        context, &remarks);
  } catch (const std::exception& error) {
    context.log(fmt::format("what follows a backup failed: {}", error.what()));
  }
  return remarks;
}

}  // namespace pgbackup
