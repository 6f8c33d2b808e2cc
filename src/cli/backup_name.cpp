#include "cli/backup_name.h"

#include <algorithm>
#include <ctime>

#include "core/base/error.h"

namespace pgbackup {
namespace {

size_t FormatLocalTime(char* out, size_t size, const char* pattern, const void* context) noexcept {
  tm local{};
  localtime_r(static_cast<const time_t*>(context), &local);
  return strftime(out, size, pattern, &local);
}

}  // namespace

std::string ClusterNameFor(std::string cluster_name) {
  if (cluster_name.empty()) return "main";
  std::replace(cluster_name.begin(), cluster_name.end(), '/', '-');
  return cluster_name;
}

std::string BackupName(const std::string& name_template, const BackupJob& job, WallTime now) {
  NameFields fields;
  fields.cluster = job.cluster.name;
  const std::string instance = InstanceName(
      {job.cluster.system_identifier, job.cluster.instance.token, job.cluster.instance.place, 0});
  fields.instance = instance;
  fields.environment = job.cluster.environment;
  fields.database = job.database;
  fields.label = job.label ? std::string_view(*job.label) : std::string_view();
  fields.type = job.backup_type;
  fields.id = job.id;
  const time_t time = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(now));
  char name[kMaxNameLength + 1];
  const char* why = "";
  if (ExpandName(name_template, fields, {FormatLocalTime, &time}, name, &why) == 0)
    throw Error(ErrorKind::kInvalid, "the name template makes no name", why,
                "Correct pgbackup.name_template.");
  return name;
}

}  // namespace pgbackup
