#include "core/restore/target/into_schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "core/base/deadline.h"
#include "core/base/error.h"
#include "core/base/utf8.h"
#include "core/postgres/quoting.h"
#include "core/restore/preflight/schema_usage.h"
#include "core/restore/target/schema_move.h"
#include "core/restore/target/schema_transfer.h"
#include "core/restore/target/target_database.h"

namespace pgbackup {
namespace {

// One row when the schema $1 exists, with something in it when it is not empty.
constexpr const char* kSchemaSql = R"(
SELECT (SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend d
         WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid
           AND d.classid <> 'pg_default_acl'::regclass
         ORDER BY d.classid, d.objid LIMIT 1)
  FROM pg_namespace n WHERE n.nspname = $1)";

}  // namespace

// False when there is no such schema, an error when it is not empty.
bool IntoSchema::ExistsEmpty(PostgresConnection& target) const {
  const QueryResult found = target.Query(kSchemaSql, {schema_});
  if (found.rows() == 0) return false;
  if (found.IsNull(0, 0)) return true;
  throw Error(
      ErrorKind::kAlreadyExists,
      fmt::format("schema \"{}\" of database \"{}\" is not empty", schema_, job_.target_database),
      fmt::format("It holds {}.", found.Text(0, 0)),
      "Name a schema that does not exist yet, or drop this one.");
}

void IntoSchema::CheckTarget() const {
  PostgresConnection target = Connect(job_.target_database);
  CheckProgramVersion("pg_dump", AskProgramVersion(programs_, "pg_dump", context_.cancellation),
                      target.server_major(), "the server");
  ExistsEmpty(target);
}

void IntoSchema::CheckSelection(const ContentsReader& contents) const {
  std::map<std::string, std::string> schemas;  // of each name
  for (const auto& [schema, name] : contents.selected().relations) {
    const auto [other, is_new] = schemas.insert({name, schema});
    if (is_new) continue;
    throw Error(
        ErrorKind::kInvalid,
        ToValidUtf8(fmt::format("\"{}\" is in schema \"{}\" and in schema \"{}\" of what is "
                                "to be restored into schema \"{}\"",
                                name, other->second, schema, schema_)),
        "", "Restore the tables of one schema at a time.");
  }
  PostgresConnection target = Connect(job_.target_database);
  for (const std::string& extension : contents.selected().extensions) {
    if (target.Query("SELECT 1 FROM pg_extension WHERE extname = $1", {extension}).rows() > 0)
      continue;
    throw Error(ErrorKind::kNotFound,
                fmt::format("extension \"{}\" is missing in database \"{}\"", extension,
                            job_.target_database),
                "What is to be restored needs it.",
                fmt::format("CREATE EXTENSION {}; there.", QuoteIdentifier(extension)));
  }
}

// What stays behind because it is in no schema.
std::string IntoSchema::HintFor(const Error& error, const std::string& casts) const {
  const bool is_cast = error.message().find("cast") != std::string::npos ||
                       error.message().find("of type") != std::string::npos;
  if (is_cast && !casts.empty())
    return fmt::format(
        "Casts are in no schema and do not come along: create {} in database \"{}\" "
        "first, or restore into a database of its own.",
        casts, job_.target_database);
  return fmt::format(
      "What is in no schema, such as casts, languages and foreign servers, does not come along, "
      "and "
      "what the text of a function names has to be where it was: create what is missing in "
      "database "
      "\"{}\" first, or restore into a database of its own.",
      job_.target_database);
}

// Whoever wants the restore to end.
void IntoSchema::TakeUsageBack(const std::vector<std::string>& roles) const {
  if (roles.empty()) return;
  try {
    const Deadline deadline(kCleanUpTime);
    PostgresConnection target(Settings(job_.target_database), deadline.cancellation());
    RevokeUsage(target, schema_, roles);
  } catch (const std::exception& error) {
    context_.log(
        fmt::format("could not revoke USAGE on schema \"{}\" of database \"{}\" from {}: {}",
                    schema_, job_.target_database, fmt::join(roles, ", "), error.what()));
  }
}

void IntoSchema::Bring(const std::string& side_name) const {
  context_.progress.SetPhase("moving");
  bool exists = false;
  std::string lacking;
  std::vector<std::string> users;  // of the schema in the target, for this
  ConnectionSettings from = Settings(side_name);
  ConnectionSettings to = Settings(job_.target_database);
  {
    PostgresConnection side = Connect(side_name);
    PostgresConnection target = Connect(job_.target_database);
    exists = ExistsEmpty(target);
    MoveIntoSchema(side, target, schema_);
    lacking = CastsThatStay(side, target);
    users = GrantUsage(side, schema_, GrantorsIn(side, schema_));
    if (exists) users = GrantUsage(target, schema_, users);
    AddTimeoutOptions(&from, side.server_version());
    AddTimeoutOptions(&to, target.server_version());
  }
  context_.progress.SetPhase("copying");
  try {
    TransferSchema({from, to, schema_, exists}, programs_, context_.cancellation);
  } catch (const Error& error) {
    if (exists) TakeUsageBack(users);
    if (error.kind() != ErrorKind::kTool) throw;
    throw Error(error.kind(), error.message(), error.detail(), HintFor(error, lacking));
  }
  // From here on the restore is complete, whoever wants it to end.
  TakeUsageBack(users);
  try {
    const Deadline deadline(kCleanUpTime);
    DropSideDatabase(job_.server, side_name, deadline.cancellation());
  } catch (const std::exception& error) {
    context_.log(fmt::format("could not drop the database \"{}\" (pgbackup.cleanup() will): {}",
                             side_name, error.what()));
  }
}

}  // namespace pgbackup
