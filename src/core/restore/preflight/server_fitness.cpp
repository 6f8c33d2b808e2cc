#include "core/restore/preflight/server_fitness.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>

#include "core/base/byte_size.h"
#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

constexpr uint64_t kMostBytesPerRawByte = 3;

bool IsPart(const Manifest& manifest, const RestoreOptions& options) {
  const auto& selection = manifest.selection;
  return options.ChoosesParts() || !selection.schemas.empty() || !selection.tables.empty() ||
         !selection.exclude_tables.empty() || !selection.exclude_table_data.empty() ||
         options.content != DumpContent::kAll || manifest.content != DumpContent::kAll;
}

}  // namespace

uint64_t DiskNeeded(const Manifest& manifest, const RestoreOptions& options) {
  if (IsPart(manifest, options)) return 0;
  return std::min(manifest.database_size, manifest.RawSize() * kMostBytesPerRawByte);
}

void ServerFitness::CheckVersion() {
  const int64_t source_major = manifest_.cluster.server_version_num / 10000;
  if (source_major <= connection_.server_major()) return;
  throw Error(ErrorKind::kInvalid,
              fmt::format("a backup of PostgreSQL {} cannot be restored into version {}",
                          source_major, connection_.server_major()),
              "What a newer version dumps, an older one does not understand.",
              fmt::format("Restore it into version {} or newer.", source_major));
}

// Of `names` those for which `sql`, which gets one as $1, has no row.
std::vector<std::string> ServerFitness::NotThere(const std::vector<std::string>& names,
                                                 const char* sql) {
  std::vector<std::string> missing;
  for (const std::string& name : names)
    if (connection_.Query(sql, {name}).rows() == 0) missing.push_back(name);
  return missing;
}

std::vector<std::string> ServerFitness::MissingRoles() {
  return NotThere(requirements_.roles, "SELECT FROM pg_roles WHERE rolname = $1");
}

// A locale of the operating system has all categories or none. This one can be tried by setting it.
bool ServerFitness::HasLocale(const std::string& name) {
  try {
    connection_.Query("SELECT set_config('lc_monetary', $1, true)", {name});
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDatabase) throw;
    return false;
  }
}

void ServerFitness::CheckLocale() {
  const DatabaseProperties& database = manifest_.properties;
  if (connection_.Query("SELECT WHERE pg_char_to_encoding($1) >= 0", {database.encoding}).rows() ==
      0)
    findings_->Add(Error(ErrorKind::kInvalid,
                         fmt::format("encoding \"{}\" is not known here", database.encoding),
                         "It is the encoding of the backed up database."));
  // Refuses a provider that this version does not have.
  findings_->Try([&] { CreateDatabaseSql(database, "x", connection_.server_major(), false); });
  if (database.locale_provider == "icu" &&
      connection_.Query("SELECT FROM pg_collation WHERE collprovider = 'i' LIMIT 1").rows() == 0)
    findings_->Add(Error(ErrorKind::kInvalid, "the server was built without ICU",
                         "The backed up database has an ICU locale.",
                         "Restore it into a server with ICU."));
  std::vector<std::string> locales = {database.collate};
  if (database.ctype != database.collate) locales.push_back(database.ctype);
  for (const std::string& locale : locales)
    if (!HasLocale(locale))
      findings_->Add(Error(ErrorKind::kNotFound,
                           fmt::format("locale \"{}\" does not exist here", locale),
                           fmt::format("The backed up database has the locale \"{}\".", locale),
                           fmt::format("Install locale {} in the operating system and restart the "
                                       "server.",
                                       locale)));
}

void ServerFitness::CheckExtensions() {
  std::vector<std::string> missing;
  std::string detail, hint;
  for (const NeededExtension& extension : requirements_.extensions) {
    const QueryResult here = connection_.Query(
        "SELECT default_version, EXISTS (SELECT FROM pg_available_extension_versions v "
        "WHERE v.name = e.name AND v.version = $2) FROM pg_available_extensions e WHERE name = $1",
        {extension.name, extension.version});
    if (here.rows() == 0) {
      missing.push_back(extension.name);
      detail += fmt::format("{}Extension {} {} is not available on this server.",
                            detail.empty() ? "" : " ", QuoteIdentifier(extension.name),
                            extension.version);
    } else if (here.Text(0, 0) != extension.version) {
      remarks_.push_back(fmt::format(
          "extension {} has version {} here, the backup has {}{}", QuoteIdentifier(extension.name),
          here.Text(0, 0), extension.version, here.Flag(0, 1) ? "" : ", which is not available"));
    }
  }
  if (missing.empty()) return;
  findings_->Add(Error(
      ErrorKind::kNotFound,
      fmt::format("{} not available: {}",
                  missing.size() == 1 ? "an extension is" : "extensions are", QuotedList(missing)),
      detail,
      fmt::format("Install the packages that bring {} for this server.", QuotedList(missing))));
}

void ServerFitness::DoWithoutTablespaces() {
  tablespace_ = kDefaultTablespace;
  leaves_out_tablespaces_ = true;
  if (manifest_.format != DumpFormat::kPlain || requirements_.tablespaces.empty()) return;
  findings_->Add(Error(
      ErrorKind::kInvalid, "a backup in plain format cannot be restored without its tablespaces",
      fmt::format("What it holds is in {}.", QuotedList(requirements_.tablespaces)),
      "Restore it without --no-tablespaces."));
}

void ServerFitness::CheckTablespaces(const RestoreOptions& options) {
  constexpr const char* kExists = "SELECT FROM pg_tablespace WHERE spcname = $1";
  if (options.no_tablespaces) return DoWithoutTablespaces();
  const auto missing_of = [&](const std::vector<std::string>& names) {
    std::vector<std::string> missing = NotThere(names, kExists);
    for (const std::string& coming : options.coming_tablespaces) std::erase(missing, coming);
    return missing;
  };
  const std::string& own = manifest_.properties.tablespace;
  if (std::count(options.coming_tablespaces.begin(), options.coming_tablespaces.end(), own) != 0)
    tablespace_.reset();
  if (!missing_of({own}).empty())
    remarks_.push_back(fmt::format("tablespace {} does not exist here, the default one is used",
                                   QuoteIdentifier(own)));
  const std::vector<std::string> missing = missing_of(requirements_.tablespaces);
  if (missing.empty()) return;
  leaves_out_tablespaces_ = true;
  const std::string what = fmt::format("{} not exist here: {}",
                                       missing.size() == 1 ? "a tablespace does" : "tablespaces do",
                                       QuotedList(missing));
  if (manifest_.format != DumpFormat::kPlain) {
    remarks_.push_back(what + ", so everything goes into the database's own one");
    return;
  }
  findings_->Add(
      Error(ErrorKind::kNotFound, what, "A backup in plain format cannot do without.",
            fmt::format("Create {}: CREATE TABLESPACE … LOCATION '…'.", QuotedList(missing))));
}

// The folder of the tablespace that the database will be in, when it is on this machine.
std::optional<std::string> ServerFitness::DataFolder() {
  if (!tablespace_) return std::nullopt;
  const QueryResult folder = connection_.Query(
      "SELECT coalesce((SELECT nullif(pg_tablespace_location(oid), '') FROM pg_tablespace "
      "WHERE spcname = $1), current_setting('data_directory', true)) "
      "WHERE inet_server_addr() IS NULL",
      {*tablespace_});
  return folder.rows() == 0 ? std::nullopt : folder.OptionalText(0, 0);
}

void ServerFitness::CheckDisk(uint64_t needed) {
  std::optional<std::string> folder;
  try {
    folder = DataFolder();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDenied) throw;
  }
  struct statvfs status {};
  if (!folder || statvfs(folder->c_str(), &status) != 0) return;
  free_bytes_ = uint64_t{status.f_bavail} * status.f_frsize;
  // Where its tablespaces are, and how much of the database is there, nobody knows.
  if (*free_bytes_ >= needed || (!requirements_.tablespaces.empty() && !leaves_out_tablespaces_))
    return;
  findings_->Add(Error(ErrorKind::kNoSpace, "there is too little room on the disk",
                       fmt::format("The database may need {}; {} are free in {}.",
                                   InByteUnits(needed), InByteUnits(*free_bytes_), *folder),
                       "Free that much there."));
}

}  // namespace pgbackup
