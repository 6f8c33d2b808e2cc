#include "core/restore/restore_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace pgbackup {
namespace {

bool Holds(const ManifestObject& object, const char* section) {
  return std::find(object.sections.begin(), object.sections.end(), section) !=
         object.sections.end();
}

void Refuse(const Manifest& manifest, const RestoreOptions& options) {
  if (manifest.content == DumpContent::kData)
    throw Error(ErrorKind::kInvalid, fmt::format("backup {} holds data only", manifest.id),
                "A new database cannot be made of it.",
                "Fetch its archive and restore it with pg_restore into a database that has the "
                "tables.");
  if (options.content == DumpContent::kData)
    throw Error(ErrorKind::kInvalid, "data alone cannot be restored into a new database", "",
                "Use content all or schema.");
  const bool only_parts =
      !options.schemas.empty() || !options.tables.empty() ||
      (manifest.content == DumpContent::kAll && options.content == DumpContent::kSchema);
  if (manifest.format == DumpFormat::kPlain && only_parts)
    throw Error(ErrorKind::kInvalid, "a part of a backup in plain format cannot be restored",
                "It is one SQL script.", "Restore all of it.");
}

RestoreTask PgRestore(size_t object, const RestoreOptions& options, bool from_memory) {
  RestoreTask task;
  task.object = object;
  task.program = "pg_restore";
  task.from_memory = from_memory;
  task.arguments = {"--exit-on-error"};
  if (options.content == DumpContent::kSchema) task.arguments.emplace_back("--schema-only");
  return task;
}

RestoreTask Section(size_t object, const RestoreOptions& options, const char* section,
                    bool from_memory) {
  RestoreTask task = PgRestore(object, options, from_memory);
  task.arguments.push_back(fmt::format("--section={}", section));
  return task;
}

RestoreTask Psql(size_t object) {
  RestoreTask task;
  task.object = object;
  task.program = "psql";
  task.arguments = {"--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"};
  return task;
}

void AddStep(std::vector<RestoreStep>* steps, const char* phase, std::vector<RestoreTask> tasks) {
  if (!tasks.empty()) steps->push_back({phase, std::move(tasks)});
}

}  // namespace

RestorePlan MakeRestorePlan(const Manifest& manifest, const RestoreOptions& options) {
  Refuse(manifest, options);
  std::vector<RestoreTask> whole, pre_data, data, post_data;
  for (size_t i = 0; i < manifest.objects.size(); ++i) {
    const ManifestObject& object = manifest.objects[i];
    if (object.kind == ObjectKind::kGlobals) continue;
    if (object.kind == ObjectKind::kSql) {
      whole.push_back(Psql(i));
    } else if (Holds(object, "pre-data") && Holds(object, "data")) {
      whole.push_back(PgRestore(i, options, false));
    } else if (Holds(object, "pre-data")) {
      pre_data.push_back(Section(i, options, "pre-data", true));
      RestoreTask post = Section(i, options, "post-data", true);
      post.arguments.push_back(fmt::format("--jobs={}", options.jobs));
      post_data.push_back(std::move(post));
    } else if (options.content == DumpContent::kAll) {
      data.push_back(Section(i, options, "data", false));
    }
  }
  RestorePlan plan;
  AddStep(&plan.steps, "restoring", std::move(whole));
  AddStep(&plan.steps, "pre-data", std::move(pre_data));
  AddStep(&plan.steps, "data", std::move(data));
  AddStep(&plan.steps, "post-data", std::move(post_data));
  if (plan.steps.empty())
    throw Error(ErrorKind::kInvalid, "the manifest names nothing that can be restored");

  const auto& selected = manifest.selection.schemas;
  plan.drop_public_schema = manifest.selection.tables.empty() &&
                            std::find(selected.begin(), selected.end(), "public") != selected.end();
  for (const std::string& table : manifest.selection.tables) {
    const std::string schema = ParseQualifiedName(table, "tables").schema;
    auto& schemas = plan.schemas_to_create;
    if (std::find(schemas.begin(), schemas.end(), schema) == schemas.end())
      schemas.push_back(schema);
  }
  return plan;
}

}  // namespace pgbackup
