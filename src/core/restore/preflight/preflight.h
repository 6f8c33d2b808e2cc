// Everything a restore needs, looked at before it changes anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/job/job.h"
#include "core/manifest/manifest.h"
#include "core/postgres/postgres_connection.h"
#include "core/restore/plan/findings.h"
#include "core/restore/plan/restore_contents.h"
#include "core/restore/plan/restore_plan.h"
#include "core/restore/preflight/missing_roles.h"
#include "core/restore/preflight/settings_check.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct PreflightContext {
  const RestoreJob& job;
  const Manifest& manifest;
  Storage& storage;
  PostgresConnection& connection;  // in any database of the server
  ContentsReader& contents;        // reads what there is to know of the backup
  Progress& progress;
};

struct Preflight {
  RestorePlan plan;                              // made for what the server has
  RoleScript roles;                              // to make before the restore begins
  Requirements requirements;                     // of what is restored
  std::vector<std::string> remarks;              // what hinders nothing but has to be told
  std::vector<RefusedSetting> refused_settings;  // of the database
  uint64_t disk_needed = 0;                      // bytes; 0: unknown
  std::optional<uint64_t> disk_free;
};

// Reads the backup's definitions and compares what they need with what storage and server have.
// What is missing goes into `findings`: only when that stays empty is the result of use. Throws
// what kept it from looking.
Preflight RunPreflight(const PreflightContext& context, Findings* findings);

}  // namespace pgbackup
