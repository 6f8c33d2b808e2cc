#include "core/restore/plan/bound_extensions.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/dump/restore_risks.h"

namespace pgbackup {

BoundExtensions FindBoundExtensions(const Manifest& manifest,
                                    const std::vector<std::string>& names) {
  BoundExtensions bound;
  if (!manifest.requirements || manifest.format == DumpFormat::kPlain) return bound;
  for (const NeededExtension& extension : manifest.requirements->extensions) {
    if (std::find(names.begin(), names.end(), extension.name) == names.end()) continue;
    bound.names.push_back(extension.name);
    bound.tables.insert(bound.tables.end(), extension.configuration.begin(),
                        extension.configuration.end());
  }
  return bound;
}

std::string ComesLast(const std::vector<std::string>& names, const std::string& database) {
  return fmt::format(
      "{} and what depends on it can be created only in the database \"{}\", so it comes last",
      ExtensionsInWords(names), database);
}

std::string IsLeftOut(const std::vector<std::string>& names, const std::string& why) {
  return fmt::format("{} and what depends on it were left out: {}", ExtensionsInWords(names), why);
}

std::string WhyNotIn(PostgresConnection& connection, const BoundExtensions& bound,
                     const std::string& database) {
  if (std::find(bound.names.begin(), bound.names.end(), "pg_cron") == bound.names.end()) return "";
  const QueryResult setting =
      connection.Query("SELECT current_setting('cron.database_name', true)");
  if (setting.IsNull(0, 0) || setting.Text(0, 0) == database) return "";
  return fmt::format(
      "pg_cron can be created in database \"{}\" only, which cron.database_name names",
      setting.Text(0, 0));
}

}  // namespace pgbackup
