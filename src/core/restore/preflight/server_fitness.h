// Whether a server has what a backup needs of it. Changes nothing there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/job/job.h"
#include "core/manifest/manifest.h"
#include "core/postgres/postgres_connection.h"
#include "core/restore/plan/findings.h"

namespace pgbackup {

// How much room a restored database may need, in bytes: what the source took but, for a bloated one
// gets smaller, no more than three times its rows as text. 0: a part is restored, whose size nobody
// knows.
uint64_t DiskNeeded(const Manifest& manifest, const RestoreOptions& options);

class ServerFitness {
 public:
  // `connection`, in any database of the server, and the rest outlive this.
  ServerFitness(PostgresConnection& connection, const Manifest& manifest,
                const Requirements& requirements, Findings* findings)
      : connection_(connection),
        manifest_(manifest),
        requirements_(requirements),
        findings_(findings) {}

  // The server's version, not older than the backup's.
  void CheckVersion();
  // Encoding, locale, and the locale's provider.
  void CheckLocale();
  void CheckExtensions();
  // pg_restore can leave tablespaces out, psql cannot.
  void CheckTablespaces(const RestoreOptions& options);
  // `needed` bytes where the database will be; what cannot be known is no finding.
  void CheckDisk(uint64_t needed);

  // Those of the requirements that do not exist.
  std::vector<std::string> MissingRoles();

  // True when a tablespace is missing, so that none can be used, or when none is wanted.
  bool leaves_out_tablespaces() const noexcept { return leaves_out_tablespaces_; }
  // Bytes that are free where the database will be, if known.
  std::optional<uint64_t> free_bytes() const noexcept { return free_bytes_; }
  // What hinders nothing but has to be told.
  const std::vector<std::string>& remarks() const noexcept { return remarks_; }

 private:
  std::vector<std::string> NotThere(const std::vector<std::string>& names, const char* sql);
  bool HasLocale(const std::string& name);
  void DoWithoutTablespaces();
  std::optional<std::string> DataFolder();

  PostgresConnection& connection_;
  const Manifest& manifest_;
  const Requirements& requirements_;
  Findings* const findings_;
  std::vector<std::string> remarks_;
  // That the database will be in; none when it is yet to be made.
  std::optional<std::string> tablespace_ = manifest_.properties.tablespace;
  bool leaves_out_tablespaces_ = false;
  std::optional<uint64_t> free_bytes_;
};

}  // namespace pgbackup
