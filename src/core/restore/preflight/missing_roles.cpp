#include "core/restore/preflight/missing_roles.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/postgres/quoting.h"
#include "core/restore/plan/stored_globals.h"

namespace pgbackup {
namespace {

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

// `existing` and `connection` outlive it.
ServerNames NamesOf(const std::set<std::string>& existing, PostgresConnection& connection) {
  return {[&existing](const std::string& role) { return existing.count(role) != 0; },
          [&connection](const std::string& parameter) {
            // One of an extension need not be known yet.
            return parameter.find('.') != std::string::npos ||
                   connection
                           .Query("SELECT FROM pg_settings WHERE lower(name) = lower($1)",
                                  {parameter})
                           .rows() > 0;
          }};
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
                            NamesOf(existing, connection));
    std::vector<std::string> unknown;
    for (const std::string& role : missing)
      if (std::find(script.roles.begin(), script.roles.end(), role) == script.roles.end())
        unknown.push_back(role);
    if (!unknown.empty())
      throw MissingRoles(unknown, fmt::format("{} does not have them either.", globals->name), "");
  });
  return script;
}

RoleScript PlanAllRoles(std::string_view globals, PostgresConnection& connection) {
  const std::set<std::string> existing = ExistingRoles(connection);
  std::vector<std::string> wanted = RolesIn(globals);
  std::erase_if(wanted, [&](const std::string& role) { return existing.count(role) != 0; });
  wanted.emplace_back(kEverybody);
  return MakeRoleScript(globals, wanted, NamesOf(existing, connection));
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
  std::string text;
  if (!script.roles.empty())
    text = script.roles.size() == 1 ? "a role was created:" : "roles were created:";
  for (const std::string& role : script.roles) {
    const bool is_superuser = std::find(script.superusers.begin(), script.superusers.end(), role) !=
                              script.superusers.end();
    text += fmt::format("{} {}{}", &role == &script.roles.front() ? "" : ",", QuoteIdentifier(role),
                        is_superuser ? " (superuser)" : "");
  }
  if (!script.unknown_parameters.empty())
    text += fmt::format("{}what was granted on parameters that are unknown here was left out: {}",
                        text.empty() ? "" : "; ", fmt::join(script.unknown_parameters, ", "));
  return text;
}

}  // namespace pgbackup
