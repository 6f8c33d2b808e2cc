#include "core/restore/missing_roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/pipeline/buffer_sink.h"
#include "core/postgres/quoting.h"
#include "core/restore/stored_object.h"

namespace pgbackup {
namespace {

constexpr size_t kMaxGlobalsSize = 256 << 20;

const ManifestObject* GlobalsOf(const Manifest& manifest) {
  const auto found = std::find_if(
      manifest.objects.begin(), manifest.objects.end(),
      [](const ManifestObject& object) { return object.kind == ObjectKind::kGlobals; });
  return found == manifest.objects.end() ? nullptr : &*found;
}

std::string ReadGlobals(Storage& storage, const std::string& folder, const ManifestObject& object,
                        Progress& progress) {
  auto buffer = std::make_unique<BufferSink>(kMaxGlobalsSize, object.name);
  const BufferSink& globals = *buffer;
  const std::unique_ptr<Sink> chain = ContentChain(std::move(buffer), object, progress);
  ReadStoredObject(storage, folder, object, *chain);
  return globals.text();
}

// What somebody has to create himself.
Error MissingRoles(const std::vector<std::string>& roles, const std::string& detail,
                   const std::string& other_way) {
  std::string sql;
  for (const std::string& role : roles)
    sql += fmt::format(" CREATE ROLE {};", QuoteIdentifier(role));
  return Error(ErrorKind::kNotFound,
               fmt::format("{} missing here: {}", roles.size() == 1 ? "a role is" : "roles are",
                           QuotedList(roles)),
               detail, fmt::format("Create what is missing:{}{}", sql, other_way));
}

std::set<std::string> ExistingRoles(PostgresConnection& connection) {
  const QueryResult roles = connection.Query("SELECT rolname FROM pg_roles");
  std::set<std::string> names;
  for (int row = 0; row < roles.rows(); ++row) names.insert(roles.Text(row, 0));
  return names;
}

}  // namespace

RoleScript PlanMissingRoles(const RestoreJob& job, const Manifest& manifest, Storage& storage,
                            const std::vector<std::string>& missing, PostgresConnection& connection,
                            Progress& progress, Findings* findings) {
  if (missing.empty()) return {};
  const ManifestObject* globals = GlobalsOf(manifest);
  if (!job.options.create_roles) {
    findings->Add(MissingRoles(
        missing,
        fmt::format("Things in backup {} belong to {}, or privileges, policies or settings name "
                    "them.",
                    manifest.id, QuotedList(missing)),
        globals == nullptr ? ""
                           : " Or let the restore do it: create_roles => true, on the command line "
                             "--create-roles."));
    return {};
  }
  if (globals == nullptr) {
    findings->Add(MissingRoles(
        missing,
        fmt::format("Backup {} does not say how to create them: pgbackup.include_globals was off.",
                    manifest.id),
        ""));
    return {};
  }
  RoleScript script;
  findings->Try([&] {
    const std::set<std::string> existing = ExistingRoles(connection);
    script = MakeRoleScript(ReadGlobals(storage, job.file_name, *globals, progress), missing,
                            [&](const std::string& role) { return existing.count(role) != 0; });
    std::vector<std::string> unknown;
    for (const std::string& role : missing)
      if (std::find(script.roles.begin(), script.roles.end(), role) == script.roles.end())
        unknown.push_back(role);
    if (!unknown.empty())
      throw MissingRoles(unknown, fmt::format("{} does not have them either.", globals->name), "");
  });
  return script;
}

RoleScript PlanAllRoles(const Manifest& manifest, Storage& storage, const std::string& folder,
                        PostgresConnection& connection, Progress& progress) {
  const ManifestObject* object = GlobalsOf(manifest);
  if (object == nullptr) return {};
  const std::string globals = ReadGlobals(storage, folder, *object, progress);
  const std::set<std::string> existing = ExistingRoles(connection);
  std::vector<std::string> missing = RolesIn(globals);
  std::erase_if(missing, [&](const std::string& role) { return existing.count(role) != 0; });
  return MakeRoleScript(globals, missing,
                        [&](const std::string& role) { return existing.count(role) != 0; });
}

void CreateRoles(PostgresConnection& connection, const RoleScript& script) {
  if (script.statements.empty()) return;
  connection.Execute("SET standard_conforming_strings = on");
  connection.Execute("BEGIN");
  for (const std::string& statement : script.statements) {
    try {
      connection.Execute(statement);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled || error.kind() == ErrorKind::kUnavailable) throw;
      throw Error(error.kind(),
                  fmt::format("could not create the missing roles: {}", error.message()),
                  fmt::format("The statement was: {}.", statement), error.hint());
    }
  }
  connection.Execute("COMMIT");
}

std::string CreatedRolesInWords(const RoleScript& script) {
  if (script.roles.empty()) return "";
  std::string text = script.roles.size() == 1 ? "a role was created:" : "roles were created:";
  for (const std::string& role : script.roles) {
    const bool is_superuser = std::find(script.superusers.begin(), script.superusers.end(), role) !=
                              script.superusers.end();
    text += fmt::format("{} {}{}", &role == &script.roles.front() ? "" : ",", QuoteIdentifier(role),
                        is_superuser ? " (superuser)" : "");
  }
  return text;
}

}  // namespace pgbackup
