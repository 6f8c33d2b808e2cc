#include "cli/backup_servers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/ownership/lease.h"

namespace pgbackup {
namespace {

// The servers of one catalog, by their places.
using Places = std::map<std::string, const Manifest*>;

std::string NameOf(const Manifest& manifest) {
  const std::string instance = InstanceOf(manifest);
  const std::string& identifier = manifest.cluster.system_identifier;
  std::string name = fmt::format("cluster \"{}\"", manifest.cluster.name);
  if (!instance.empty())
    name += fmt::format(" (instance {})", instance);
  else if (!identifier.empty())
    name += fmt::format(" (system identifier {})", identifier);
  return name;
}

// Leaves one of those places that followed each other.
void MergeSuccessors(Storage& storage, const std::string& token, Places* places) {
  if (places->size() < 2) return;
  std::optional<Lease> lease;
  try {
    lease = ReadLease(storage, token);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
  }
  if (!lease) return;
  std::vector<std::string> line = lease->earlier_places;
  line.push_back(lease->holder.place);
  bool has_one = false;
  for (auto place = line.rbegin(); place != line.rend(); ++place) {
    const auto found = places->find(*place);
    if (found == places->end()) continue;
    if (has_one) places->erase(found);
    has_one = true;
  }
}

}  // namespace

std::string InstanceOf(const Manifest& manifest) {
  return manifest.cluster.instance.token.empty() ? "" : InstanceName(manifest.cluster.instance);
}

std::set<std::string> ServersOf(Storage& storage, const std::vector<StoredBackup>& backups) {
  std::map<std::string, Places> catalogs;  // by token
  std::set<std::string> clusters;          // system identifiers of servers with a catalog
  for (const StoredBackup& backup : backups) {
    const ManifestCluster& cluster = backup.manifest.cluster;
    if (cluster.instance.token.empty()) continue;
    catalogs[cluster.instance.token].emplace(cluster.instance.place, &backup.manifest);
    clusters.insert(cluster.system_identifier);
  }
  std::set<std::string> names;
  for (auto& [token, places] : catalogs) {
    MergeSuccessors(storage, token, &places);
    for (const auto& [place, manifest] : places) names.insert(NameOf(*manifest));
  }
  // Those without a record are of no other server than the others of their cluster.
  for (const StoredBackup& backup : backups)
    if (backup.manifest.cluster.instance.token.empty() &&
        clusters.count(backup.manifest.cluster.system_identifier) == 0)
      names.insert(NameOf(backup.manifest));
  return names;
}

}  // namespace pgbackup
