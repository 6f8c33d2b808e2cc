// `into_schema`: tables of a backup beside those in use, in a database that stays as it is.
//
// What was selected is filled into a side database as ever, gathered there in the schema
// (schema_move.h), and copied from there into the target in one transaction (schema_transfer.h).
#pragma once

#include <string>

#include "core/blocking/run_sessions.h"
#include "core/job/job.h"
#include "core/job/run_context.h"
#include "core/process/program.h"
#include "core/restore/plan/restore_contents.h"

namespace pgbackup {

class IntoSchema {
 public:
  // For a job with `into_schema`; all of these outlive it.
  IntoSchema(const RestoreJob& job, const Programs& programs, const RunContext& context)
      : job_(job), programs_(programs), context_(context), schema_(*job.options.into_schema) {}

  // Throws unless pg_dump is there and the target does not have the schema yet, or has it empty.
  void CheckTarget() const;

  // Throws when two relations of one name would meet in the schema, or when the target lacks an
  // extension that what was selected needs.
  void CheckSelection(const ContentsReader& contents) const;

  // Brings what the database `side_name` holds into the target and drops that database. Nothing of
  // it is in the target when it throws.
  void Bring(const std::string& side_name) const;

 private:
  bool ExistsEmpty(PostgresConnection& target) const;
  std::string HintFor(const Error& error, const std::string& casts) const;
  void TakeUsageBack(const std::vector<std::string>& roles) const;
  ConnectionSettings Settings(const std::string& database) const {
    return RunSettings(SettingsFor(job_.server, database), "restore", job_.id);
  }
  PostgresConnection Connect(const std::string& database) const {
    return PostgresConnection(Settings(database), context_.cancellation);
  }

  const RestoreJob& job_;
  const Programs& programs_;
  const RunContext& context_;
  const std::string& schema_;
};

}  // namespace pgbackup
