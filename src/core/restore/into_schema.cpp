#include "core/restore/into_schema.h"

#include <fmt/format.h>

#include <map>

#include "core/base/error.h"
#include "core/base/utf8.h"
#include "core/postgres/quoting.h"
#include "core/restore/schema_move.h"
#include "core/restore/schema_transfer.h"
#include "core/restore/target_database.h"
#include "core/run/deadline.h"

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

void IntoSchema::Bring(const std::string& side_name) const {
  context_.progress.SetPhase("moving");
  bool exists = false;
  ConnectionSettings from = Settings(side_name);
  ConnectionSettings to = Settings(job_.target_database);
  {
    PostgresConnection side = Connect(side_name);
    PostgresConnection target = Connect(job_.target_database);
    exists = ExistsEmpty(target);
    MoveIntoSchema(side, target, schema_);
    AddTimeoutOptions(&from, side.server_version());
    AddTimeoutOptions(&to, target.server_version());
  }
  context_.progress.SetPhase("copying");
  TransferSchema({from, to, schema_, exists}, programs_, context_.cancellation);
  // From here on the restore is complete, whoever wants it to end.
  try {
    const Deadline deadline(kCleanUpTime);
    DropSideDatabase(job_.server, side_name, deadline.cancellation());
  } catch (const std::exception& error) {
    context_.log(fmt::format("could not drop the database \"{}\" (pgbackup.cleanup() will): {}",
                             side_name, error.what()));
  }
}

}  // namespace pgbackup
