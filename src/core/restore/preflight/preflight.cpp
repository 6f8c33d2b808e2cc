#include "core/restore/preflight/preflight.h"

#include <algorithm>

#include "core/dump/server_encoding.h"
#include "core/restore/plan/part_requirements.h"
#include "core/restore/plan/stored_sizes.h"
#include "core/restore/plan/stored_toc.h"
#include "core/restore/preflight/server_fitness.h"

namespace pgbackup {
namespace {

bool ChoosesParts(const Manifest& manifest, const RestoreOptions& options) {
  return options.ChoosesParts() || !manifest.selection.schemas.empty() ||
         !manifest.selection.tables.empty();
}

// Of the archive with the definitions; none when there is no archive, or one of an unknown version.
std::optional<ArchiveToc> DefinitionsToc(const PreflightContext& context) {
  if (context.contents.contents().definitions) return context.contents.contents().definitions;
  const ManifestObject& object = context.manifest.objects[DefinitionsObject(context.manifest)];
  if (object.kind != ObjectKind::kArchive) return std::nullopt;
  try {
    return ReadStoredToc(context.storage, context.job.file_name, object);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) throw;
    return std::nullopt;
  }
}

// What the manifest says is of the whole database. Of what a part needs, only what pg_restore will
// meet is asked for; where that cannot be told, it has to find out itself.
Requirements RequirementsOfPart(const PreflightContext& context, const Requirements& all) {
  const std::optional<ArchiveToc> toc = DefinitionsToc(context);
  if (!toc) return {};
  Selection names;
  names.schemas = all.roles;
  names = InServerEncoding(context.connection, names, context.manifest.properties.encoding);
  return PartRequirements(all, names.schemas, *toc, context.contents.contents().wanted);
}

// Whatever part is restored, the database gets its owner, privileges and settings.
void AddRolesOfDatabase(const Manifest& manifest, Requirements* requirements) {
  std::vector<std::string>& roles = requirements->roles;
  for (std::string& role : RolesOf(manifest.properties)) roles.push_back(std::move(role));
  std::sort(roles.begin(), roles.end());
  roles.erase(std::unique(roles.begin(), roles.end()), roles.end());
}

// What is read when there is no plan that says more.
std::set<size_t> AllOfTheDatabase(const Manifest& manifest) {
  std::set<size_t> objects;
  for (size_t i = 0; i < manifest.objects.size(); ++i)
    if (manifest.objects[i].kind != ObjectKind::kGlobals) objects.insert(i);
  return objects;
}

// Makes the plan, when the backup can be read.
void ReadBackup(const PreflightContext& context, Preflight* preflight, Findings* findings) {
  const bool is_part = ChoosesParts(context.manifest, context.job.options);
  const Requirements all = context.manifest.requirements.value_or(Requirements());
  if (!is_part) preflight->requirements = all;
  std::set<size_t> objects = AllOfTheDatabase(context.manifest);
  Findings unreadable;
  unreadable.Try([&] {
    context.contents.Read(context.storage, context.manifest, context.connection);
    preflight->plan =
        MakeRestorePlan(context.manifest, context.job.options, context.contents.contents());
    objects = ObjectsToRead(preflight->plan);
    if (is_part) preflight->requirements = RequirementsOfPart(context, all);
  });
  AddRolesOfDatabase(context.manifest, &preflight->requirements);
  // An object that is not there makes the backup unreadable: that is said once.
  if (CheckStoredSizes(context.storage, context.job.file_name, context.manifest, objects, findings))
    findings->Add(unreadable);
}

}  // namespace

Preflight RunPreflight(const PreflightContext& context, Findings* findings) {
  Preflight preflight;
  ReadBackup(context, &preflight, findings);
  ServerFitness fitness(context.connection, context.manifest, preflight.requirements, findings);
  findings->Try([&] { fitness.CheckVersion(); });
  fitness.CheckLocale();
  preflight.roles =
      PlanMissingRoles(context.job, context.manifest, context.storage, fitness.MissingRoles(),
                       context.connection, context.progress, findings);
  fitness.CheckExtensions();
  fitness.CheckTablespaces(context.job.options);
  preflight.disk_needed = DiskNeeded(context.manifest, context.job.options);
  fitness.CheckDisk(preflight.disk_needed);
  preflight.disk_free = fitness.free_bytes();
  preflight.remarks = fitness.remarks();
  findings->Try([&] {
    preflight.refused_settings =
        FindRefusedSettings(context.connection, context.manifest.properties.settings);
  });
  if (fitness.leaves_out_tablespaces()) LeaveOutTablespaces(&preflight.plan);
  return preflight;
}

}  // namespace pgbackup
