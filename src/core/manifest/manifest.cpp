#include "core/manifest/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/manifest/manifest_check.h"

namespace pgbackup {

namespace json = boost::json;

namespace {

const char* KindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kSql:
      return "sql";
    case ObjectKind::kGlobals:
      return "globals";
    case ObjectKind::kCopy:
      return "copy";
    case ObjectKind::kContents:
      return "contents";
    case ObjectKind::kArchive:
      break;
  }
  return "archive";
}

ObjectKind ParseKind(const std::string& text) {
  for (const ObjectKind kind : {ObjectKind::kArchive, ObjectKind::kSql, ObjectKind::kCopy,
                                ObjectKind::kGlobals, ObjectKind::kContents})
    if (text == KindName(kind)) return kind;
  throw Error(ErrorKind::kInvalid, fmt::format("the manifest has an object of kind \"{}\"", text),
              "", "Use a newer pgbackup.");
}

json::value Text(const std::string& text) {
  return JsonText(std::string_view(text));
}

json::object PropertiesToJson(const DatabaseProperties& properties) {
  json::object object;
  object["name"] = Text(properties.name);
  if (properties.oid != 0) object["oid"] = properties.oid;
  object["owner"] = Text(properties.owner);
  object["encoding"] = Text(properties.encoding);
  object["locale_provider"] = Text(properties.locale_provider);
  object["collate"] = Text(properties.collate);
  object["ctype"] = Text(properties.ctype);
  object["locale"] = JsonText(properties.locale);
  object["icu_rules"] = JsonText(properties.icu_rules);
  object["connection_limit"] = properties.connection_limit;
  object["tablespace"] = Text(properties.tablespace);
  object["comment"] = JsonText(properties.comment);
  object["is_template"] = properties.is_template;
  if (properties.has_acl) {
    json::array acl;
    for (const DatabaseGrant& grant : properties.acl) {
      json::object entry{{"grantee", Text(grant.grantee)},
                         {"privilege", Text(grant.privilege)},
                         {"grantable", grant.with_grant_option}};
      if (!grant.grantor.empty()) entry["grantor"] = Text(grant.grantor);
      acl.push_back(std::move(entry));
    }
    object["acl"] = std::move(acl);
  } else {
    object["acl"] = nullptr;
  }
  json::array settings;
  for (const DatabaseSetting& setting : properties.settings)
    settings.push_back(json::object{{"role", Text(setting.role)},
                                    {"name", Text(setting.name)},
                                    {"value", Text(setting.value)}});
  object["settings"] = std::move(settings);
  return object;
}

DatabaseProperties PropertiesFromJson(const JsonReader& reader) {
  DatabaseProperties properties;
  properties.name = reader.Text("name");
  properties.oid = reader.IntegerOr("oid", 0);
  if (properties.oid < 0 || properties.oid > std::numeric_limits<uint32_t>::max())
    throw Error(ErrorKind::kInvalid,
                fmt::format("the manifest names the database OID {}", properties.oid));
  properties.owner = reader.Text("owner");
  properties.encoding = reader.Text("encoding");
  properties.locale_provider = reader.Text("locale_provider");
  if (properties.locale_provider != "libc" && properties.locale_provider != "icu" &&
      properties.locale_provider != "builtin")
    throw Error(ErrorKind::kInvalid, fmt::format("the manifest names the locale provider \"{}\"",
                                                 properties.locale_provider));
  properties.collate = reader.Text("collate");
  properties.ctype = reader.Text("ctype");
  properties.locale = reader.OptionalText("locale");
  properties.icu_rules = reader.OptionalText("icu_rules");
  properties.connection_limit = reader.IntegerOr("connection_limit", -1);
  properties.tablespace = reader.TextOr("tablespace", kDefaultTablespace);
  properties.comment = reader.OptionalText("comment");
  properties.is_template = reader.FlagOr("is_template", false);
  properties.has_acl = reader.Has("acl");
  for (const JsonReader& grant : reader.Objects("acl")) {
    DatabaseGrant parsed{grant.TextOr("grantee", ""), grant.Text("privilege"),
                         grant.FlagOr("grantable", false), grant.TextOr("grantor", "")};
    // A privilege becomes SQL without quotes.
    if (parsed.privilege.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ ") != std::string::npos)
      throw Error(ErrorKind::kInvalid,
                  fmt::format("the manifest names the privilege \"{}\"", parsed.privilege));
    properties.acl.push_back(std::move(parsed));
  }
  for (const JsonReader& setting : reader.Objects("settings"))
    properties.settings.push_back(
        {setting.TextOr("role", ""), setting.Text("name"), setting.Text("value")});
  return properties;
}

json::array TablesToJson(const std::vector<QualifiedName>& tables) {
  json::array array;
  for (const QualifiedName& table : tables)
    array.push_back(json::object{{"schema", Text(table.schema)}, {"name", Text(table.name)}});
  return array;
}

json::object CopyToJson(const CopyRange& copy) {
  json::object object;
  object["columns"] = JsonTexts(copy.columns);
  object["first_page"] = copy.first_page;
  object["end_page"] = copy.end_page ? json::value(*copy.end_page) : json::value(nullptr);
  return object;
}

CopyRange CopyFromJson(const JsonReader& reader) {
  CopyRange copy;
  copy.columns = reader.Texts("columns");
  copy.first_page = reader.Size("first_page");
  if (reader.Has("end_page")) copy.end_page = reader.Size("end_page");
  return copy;
}

json::object ObjectToJson(const ManifestObject& object) {
  json::array segments;
  for (const Segment& segment : object.segments)
    segments.push_back(json::object{
        {"name", Text(segment.name)}, {"size", segment.size}, {"sha256", Text(segment.sha256)}});
  json::object result;
  result["name"] = Text(object.name);
  result["kind"] = KindName(object.kind);
  result["sections"] = JsonTexts(object.sections);
  if (!object.tables.empty()) result["tables"] = TablesToJson(object.tables);
  if (object.copy) result["copy"] = CopyToJson(*object.copy);
  result["raw_size"] = object.raw_size;
  result["size"] = object.Size();
  result["segments"] = std::move(segments);
  return result;
}

ManifestObject ObjectFromJson(const JsonReader& reader, bool names_are_hidden) {
  ManifestObject object;
  object.name = reader.Text("name");
  object.kind = ParseKind(reader.Text("kind"));
  object.sections = reader.Texts("sections");
  for (const JsonReader& table : reader.Objects("tables"))
    object.tables.push_back({table.Text("schema"), table.Text("name")});
  if (object.kind == ObjectKind::kCopy && !names_are_hidden) {
    object.copy = CopyFromJson(reader.Object("copy"));
    if (object.tables.size() != 1 || object.copy->columns.empty())
      throw Error(ErrorKind::kInvalid,
                  fmt::format("object \"{}\" of the manifest does not say whose rows it holds",
                              object.name));
  }
  object.raw_size = reader.Size("raw_size");
  for (const JsonReader& segment : reader.Objects("segments"))
    object.segments.push_back({segment.Text("name"), segment.Size("size"), segment.Text("sha256")});
  if (object.segments.empty())
    throw Error(ErrorKind::kInvalid,
                fmt::format("object \"{}\" of the manifest has no segments", object.name));
  return object;
}

// Leaves only these members.
void Keep(json::object* object, std::initializer_list<std::string_view> members) {
  json::object kept;
  for (const std::string_view member : members)
    if (json::value* value = object->if_contains(member)) kept[member] = std::move(*value);
  *object = std::move(kept);
}

bool HasContentsObject(const JsonReader& root) {
  for (const JsonReader& object : root.Objects("objects"))
    if (object.Text("kind") == KindName(ObjectKind::kContents)) return true;
  return false;
}

}  // namespace

uint64_t ManifestObject::Size() const noexcept {
  uint64_t size = 0;
  for (const Segment& segment : segments) size += segment.size;
  return size;
}

uint64_t Manifest::RawSize() const noexcept {
  uint64_t size = 0;
  for (const ManifestObject& object : objects) size += object.raw_size;
  return size;
}

uint64_t Manifest::StoredSize() const noexcept {
  uint64_t size = 0;
  for (const ManifestObject& object : objects) size += object.Size();
  return size;
}

json::object ManifestToJson(const Manifest& manifest) {
  json::object backup;
  backup["id"] = manifest.id;
  if (!manifest.run_key.empty()) backup["run_key"] = Text(manifest.run_key);
  backup["file_name"] = Text(manifest.file_name);
  backup["database"] = Text(manifest.database);
  backup["label"] = JsonText(manifest.label);
  backup["schedule"] = JsonText(manifest.schedule);
  backup["backup_type"] = Text(manifest.backup_type);
  backup["format"] = DumpFormatName(manifest.format);
  backup["content"] = DumpContentName(manifest.content);
  backup["compression"] = Text(manifest.compression);
  backup["schemas"] = JsonTexts(manifest.selection.schemas);
  backup["tables"] = JsonTexts(manifest.selection.tables);
  backup["exclude_tables"] = JsonTexts(manifest.selection.exclude_tables);
  backup["exclude_table_data"] = JsonTexts(manifest.selection.exclude_table_data);
  backup["created_by"] = Text(manifest.created_by);
  backup["created_at"] = Text(manifest.created_at);
  backup["started_at"] = Text(manifest.started_at);
  backup["finished_at"] = Text(manifest.finished_at);

  json::object cluster;
  cluster["name"] = Text(manifest.cluster.name);
  cluster["environment"] = Text(manifest.cluster.environment);
  cluster["system_identifier"] = Text(manifest.cluster.system_identifier);
  cluster["server_version"] = Text(manifest.cluster.server_version);
  cluster["server_version_num"] = manifest.cluster.server_version_num;
  if (manifest.cluster.instance != Instance())
    cluster["instance"] = InstanceToJson(manifest.cluster.instance);

  json::array objects;
  for (const ManifestObject& object : manifest.objects) objects.push_back(ObjectToJson(object));

  json::object root;
  root["version"] = kManifestVersion;
  root["backup"] = std::move(backup);
  root["cluster"] = std::move(cluster);
  root["database"] = PropertiesToJson(manifest.properties);
  if (manifest.requirements) root["requires"] = RequirementsToJson(*manifest.requirements);
  if (manifest.user_code) root["user_code"] = UserCodeToJson(*manifest.user_code);
  if (manifest.part_needs) root["part_needs"] = PartNeedsToJson(*manifest.part_needs);
  root["tools"] = json::object{{"pgbackup", Text(manifest.pgbackup_version)},
                               {"pg_dump", Text(manifest.pg_dump_version)}};
  root["objects"] = std::move(objects);
  root["totals"] = json::object{{"raw_size", manifest.RawSize()},
                                {"size", manifest.StoredSize()},
                                {"database_size", manifest.database_size}};
  if (manifest.encryption)
    root["encryption"] = json::object{{"scheme", Text(manifest.encryption->scheme)},
                                      {"recipients", JsonTexts(manifest.encryption->recipients)}};
  if (!manifest.fingerprints.empty())
    root["fingerprints"] = FingerprintsToJson(manifest.fingerprints, manifest.generated);
  return root;
}

json::object ManifestForStorage(const Manifest& manifest) {
  json::object root = ManifestToJson(manifest);
  if (!manifest.encryption) return root;
  // What is not known to be harmless stays out.
  Keep(&root,
       {"version", "backup", "cluster", "database", "encryption", "tools", "objects", "totals"});
  Keep(&root["backup"].as_object(),
       {"id", "run_key", "file_name", "database", "label", "schedule", "backup_type", "format",
        "content", "compression", "created_at", "started_at", "finished_at"});
  Keep(&root["database"].as_object(), {"name", "encoding"});
  for (json::value& object : root["objects"].as_array())
    Keep(&object.as_object(), {"name", "kind", "sections", "raw_size", "size", "segments"});
  return root;
}

bool HasHiddenNames(const Manifest& manifest) noexcept {
  return manifest.encryption && std::any_of(manifest.objects.begin(), manifest.objects.end(),
                                            [](const ManifestObject& object) {
                                              return object.kind == ObjectKind::kContents;
                                            });
}

json::object ManifestForCatalog(const Manifest& manifest) {
  json::object root = ManifestToJson(manifest);
  root.erase("fingerprints");
  return root;
}

Manifest ParseManifest(std::string_view text) {
  const json::object object = ParseJsonObject(text, "the manifest");
  const JsonReader root(object, "the manifest");
  const int64_t version = root.Integer("version");
  if (version != kManifestVersion)
    throw Error(ErrorKind::kInvalid, fmt::format("the manifest has version {}", version),
                fmt::format("This program reads version {}.", kManifestVersion),
                "Use the version of pgbackup that made the backup, or a newer one.");
  Manifest manifest;
  const JsonReader backup = root.Object("backup");
  manifest.id = backup.Integer("id");
  manifest.run_key = backup.TextOr("run_key", "");
  manifest.file_name = backup.Text("file_name");
  manifest.database = backup.Text("database");
  manifest.label = backup.OptionalText("label");
  manifest.schedule = backup.OptionalText("schedule");
  manifest.backup_type = backup.Text("backup_type");
  manifest.format = ParseDumpFormat(backup.Text("format"));
  manifest.content = ParseDumpContent(backup.Text("content"));
  manifest.compression = backup.Text("compression");
  // Without the members that ManifestForStorage leaves out, what they name is everything or
  // unknown.
  manifest.selection = {backup.Texts("schemas"), backup.Texts("tables"),
                        backup.Texts("exclude_tables"), backup.Texts("exclude_table_data")};
  manifest.created_by = backup.TextOr("created_by", "");
  manifest.created_at = backup.TextOr("created_at", "");
  manifest.started_at = backup.TextOr("started_at", "");
  manifest.finished_at = backup.TextOr("finished_at", "");
  const JsonReader cluster = root.Object("cluster");
  manifest.cluster = {cluster.TextOr("name", ""),
                      cluster.TextOr("environment", ""),
                      cluster.TextOr("system_identifier", ""),
                      cluster.Text("server_version"),
                      cluster.Integer("server_version_num"),
                      {}};
  if (cluster.Has("instance"))
    manifest.cluster.instance =
        InstanceFromJson(cluster.Object("instance"), manifest.cluster.system_identifier);
  if (root.Has("encryption")) {
    const JsonReader encryption = root.Object("encryption");
    manifest.encryption = {encryption.Text("scheme"), encryption.Texts("recipients")};
  }
  const bool names_are_hidden = manifest.encryption && HasContentsObject(root);
  if (names_are_hidden) {
    manifest.properties.name = root.Object("database").Text("name");
    manifest.properties.encoding = root.Object("database").Text("encoding");
  } else {
    manifest.properties = PropertiesFromJson(root.Object("database"));
  }
  if (root.Has("requires")) manifest.requirements = RequirementsFromJson(root.Object("requires"));
  if (root.Has("user_code")) manifest.user_code = UserCodeFromJson(root.Object("user_code"));
  if (root.Has("part_needs")) manifest.part_needs = PartNeedsFromJson(root.Object("part_needs"));
  manifest.pgbackup_version = root.Object("tools").Text("pgbackup");
  manifest.pg_dump_version = root.Object("tools").Text("pg_dump");
  for (const JsonReader& reader : root.Objects("objects"))
    manifest.objects.push_back(ObjectFromJson(reader, names_are_hidden));
  manifest.database_size = root.Object("totals").Size("database_size");
  if (root.Has("fingerprints")) {
    manifest.fingerprints = FingerprintsFromJson(root.Object("fingerprints"));
    manifest.generated = FingerprintsFromJson(root.Object("fingerprints"), "generated");
  }
  CheckManifest(manifest);
  return manifest;
}

std::string ManifestObjectName(const std::string& folder) {
  return fmt::format("{}/{}", folder, kManifestName);
}

}  // namespace pgbackup
