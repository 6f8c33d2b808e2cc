#include "core/job/job.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/ownership/claim.h"

namespace pgbackup {
namespace {

// A number that may also be written as a text, such as a port.
std::string NumberText(const JsonReader& reader, std::string_view key) {
  if (!reader.Has(key)) return {};
  try {
    return std::to_string(reader.Size(key));
  } catch (const Error&) {
    return reader.Text(key);
  }
}

ServerAddress ParseServer(const JsonReader& reader) {
  ServerAddress server;
  server.host = reader.TextOr("host", "");
  server.port = NumberText(reader, "port");
  server.user = reader.TextOr("user", "");
  server.maintenance_database = reader.TextOr("maintenance_database", "postgres");
  server.conninfo = reader.TextOr("conninfo", "");
  server.bin_directory = reader.TextOr("bin_directory", "");
  server.must_be_confined = reader.FlagOr("must_be_confined", false);
  return server;
}

StorageSettings ParseStorage(const JsonReader& reader) {
  StorageSettings settings;
  settings.url = reader.Text("url");
  if (reader.Has("bandwidth_limit")) settings.bandwidth_limit = reader.Size("bandwidth_limit");
  if (!reader.Has("s3")) return settings;
  const JsonReader s3 = reader.Object("s3");
  for (const auto& option : kS3Options<S3Settings::Values>) {
    if (option.text != nullptr) settings.s3.*option.text = s3.TextOr(option.name, "");
    if (option.number != nullptr && s3.Has(option.name))
      settings.s3.*option.number = s3.Size(option.name);
    if (option.flag != nullptr) settings.s3.*option.flag = s3.FlagOr(option.name, false);
  }
  return settings;
}

std::vector<StorageSettings> ParseCopies(const JsonReader& root) {
  std::vector<StorageSettings> copies;
  for (const JsonReader& copy : root.Objects("copies")) copies.push_back(ParseStorage(copy));
  return copies;
}

int64_t InRange(const JsonReader& reader, std::string_view key, int64_t otherwise, int64_t from,
                int64_t to) {
  const int64_t value = reader.IntegerOr(key, otherwise);
  if (value < from || value > to)
    throw Error(ErrorKind::kInvalid, fmt::format("field \"{}\" of the job is {}, not {} to {}",
                                                 reader.NameOf(key), value, from, to));
  return value;
}

EncryptionSettings ParseEncryption(const JsonReader& root) {
  if (!root.Has("encryption")) return {};
  const JsonReader reader = root.Object("encryption");
  return {reader.TextOr("recipients", ""), reader.TextOr("identity_file", ""),
          reader.TextOr("passphrase_file", "")};
}

void ParseBase(const JsonReader& root, JobBase* job) {
  job->id = root.Integer("id");
  job->storage = ParseStorage(root.Object("storage"));
  job->file_name = root.Text("file_name");
  job->encryption = ParseEncryption(root);
  if (!IsValidObjectName(job->file_name))
    throw Error(ErrorKind::kInvalid,
                fmt::format("\"{}\" cannot be the name of a backup's folder", job->file_name));
}

// Empty when there is none.
std::string ParseRunKey(const JsonReader& root) {
  std::string key = root.TextOr("run_key", "");
  if (!key.empty() && !IsRunKey(key))
    throw Error(ErrorKind::kInvalid, "field \"run_key\" of the job is no key of a run");
  return key;
}

Instance ParseInstance(const JsonReader& root) {
  if (!root.Has("instance")) return {};
  const JsonReader instance = root.Object("instance");
  return InstanceFromJson(instance, NumberText(instance, "system_identifier"));
}

int64_t LockWaitTimeout(const JsonReader& reader, int64_t otherwise) {
  return InRange(reader, "lock_wait_timeout_ms", otherwise, 1, INT32_MAX);
}

std::vector<std::string> BoundExtensionNames(const JsonReader& options) {
  return options.Has("bound_extensions") ? options.Texts("bound_extensions") : kBoundExtensions;
}

std::chrono::seconds StallTimeout(const JsonReader& root) {
  return std::chrono::seconds(InRange(root, "stall_timeout", 0, 0, INT32_MAX / 1000));
}

BackupOptions ParseBackupOptions(const JsonReader& reader) {
  BackupOptions options;
  options.selection = {reader.Texts("schemas"), reader.Texts("tables"),
                       reader.Texts("exclude_tables"), reader.Texts("exclude_table_data")};
  options.content = ParseDumpContent(reader.TextOr("content", "all"));
  options.format = ParseDumpFormat(reader.TextOr("format", "auto"));
  if (reader.Has("parallel_threshold_bytes"))
    options.parallel_threshold = reader.Size("parallel_threshold_bytes");
  if (reader.Has("split_table_bytes")) options.split_bytes = reader.Size("split_table_bytes");
  options.jobs = InRange(reader, "jobs", options.jobs, 1, 64);
  options.compression_text = reader.TextOr("compression", options.compression_text);
  if (!ParseCompression(options.compression_text, &options.compression))
    throw Error(ErrorKind::kInvalid,
                fmt::format("compression \"{}\" is not known", options.compression_text), "",
                kCompressionHint);
  options.include_globals = reader.FlagOr("include_globals", true);
  options.lock_wait_timeout_ms = LockWaitTimeout(reader, options.lock_wait_timeout_ms);
  options.lock_guard_timeout_ms =
      InRange(reader, "lock_guard_timeout_ms", options.lock_guard_timeout_ms, 0, INT32_MAX);
  options.bound_extensions = BoundExtensionNames(reader);
  return options;
}

BackupHooks ParseHooks(const JsonReader& reader) {
  BackupHooks hooks;
  hooks.pre_command = reader.Texts("pre_command");
  hooks.post_command = reader.Texts("post_command");
  hooks.pre_sql = reader.TextOr("pre_sql", "");
  hooks.post_sql = reader.TextOr("post_sql", "");
  hooks.timeout_s = InRange(reader, "timeout", hooks.timeout_s, 1, INT32_MAX / 1000);
  return hooks;
}

BackupJob ParseBackup(const JsonReader& root) {
  BackupJob job;
  ParseBase(root, &job);
  job.server = ParseServer(root.Object("server"));
  job.database = root.Text("database");
  const JsonReader cluster = root.Object("cluster");
  job.cluster.name = cluster.TextOr("name", "");
  job.cluster.environment = cluster.TextOr("environment", "");
  job.cluster.system_identifier = NumberText(cluster, "system_identifier");
  job.cluster.server_version = cluster.TextOr("server_version", "");
  job.cluster.server_version_num = cluster.IntegerOr("server_version_num", 0);
  job.cluster.instance = ParseInstance(root);
  job.run_key = ParseRunKey(root);
  job.name_is_unique = root.FlagOr("name_is_unique", false);
  job.backup_type = root.TextOr("backup_type", "manual");
  job.created_by = root.TextOr("created_by", "");
  job.created_at = root.TextOr("created_at", "");
  job.schedule = root.OptionalText("schedule");
  job.label = root.OptionalText("label");
  if (root.Has("options")) job.options = ParseBackupOptions(root.Object("options"));
  job.copies = ParseCopies(root);
  if (root.Has("hooks")) job.hooks = ParseHooks(root.Object("hooks"));
  if (root.Has("max_size")) job.max_size = root.Size("max_size");
  job.stall_timeout = StallTimeout(root);
  return job;
}

RestoreJob ParseRestore(const JsonReader& root) {
  RestoreJob job;
  ParseBase(root, &job);
  job.server = ParseServer(root.Object("server"));
  job.backup_id = root.IntegerOr("backup_id", 0);
  job.target_database = root.Text("target_database");
  job.staging_database = root.TextOr("staging_database", "");
  job.checksum = root.OptionalText("checksum");
  job.copies = ParseCopies(root);
  if (root.Has("options")) {
    const JsonReader options = root.Object("options");
    job.options.schemas = options.Texts("schemas");
    job.options.tables = options.Texts("tables");
    job.options.exclude_schemas = options.Texts("exclude_schemas");
    job.options.exclude_tables = options.Texts("exclude_tables");
    job.options.exclude_table_data = options.Texts("exclude_table_data");
    job.options.content = ParseDumpContent(options.TextOr("content", "all"));
    job.options.on_error = ParseOnError(options.TextOr("on_error", "stop"));
    job.options.jobs = InRange(options, "jobs", job.options.jobs, 1, 64);
    job.options.replace = options.FlagOr("replace", false);
    job.options.dry_run = options.FlagOr("dry_run", false);
    job.options.create_roles = options.FlagOr("create_roles", false);
    job.options.into_schema = options.OptionalText("into_schema");
    job.options.statistics = options.FlagOr("statistics", true);
    job.options.lock_wait_timeout_ms = LockWaitTimeout(options, job.options.lock_wait_timeout_ms);
    job.options.bound_extensions = BoundExtensionNames(options);
  }
  job.kept_database =
      job.options.replace ? root.Text("kept_database") : root.TextOr("kept_database", "");
  if (root.Has("raw_bytes_per_second"))
    job.raw_bytes_per_second = root.Size("raw_bytes_per_second");
  job.stall_timeout = StallTimeout(root);
  return job;
}

UndoJob ParseUndo(const JsonReader& root) {
  UndoJob job;
  job.id = root.Integer("id");
  job.server = ParseServer(root.Object("server"));
  job.target_database = root.Text("target_database");
  job.incoming_database = root.Text("incoming_database");
  job.kept_database = root.Text("kept_database");
  return job;
}

VerifyJob ParseVerify(const JsonReader& root) {
  VerifyJob job;
  ParseBase(root, &job);
  job.server = ParseServer(root.Object("server"));
  job.checksum = root.OptionalText("checksum");
  job.database = root.Text("database");
  job.staging_database = root.TextOr("staging_database", "");
  const JsonReader options = root.Object("options");
  job.level = ParseVerifyLevel(options.Text("level"));
  job.jobs = InRange(options, "jobs", job.jobs, 1, 64);
  job.lock_wait_timeout_ms = LockWaitTimeout(options, job.lock_wait_timeout_ms);
  job.bound_extensions = BoundExtensionNames(options);
  job.stall_timeout = StallTimeout(root);
  return job;
}

RemoveReason ParseRemoveReason(const std::string& text) {
  if (text == "deleted") return RemoveReason::kDeleted;
  if (text == "expired") return RemoveReason::kExpired;
  if (text == "unfinished" || text == "interrupted") return RemoveReason::kUnfinished;
  throw Error(ErrorKind::kInvalid, fmt::format("there is no reason \"{}\" to remove", text));
}

RemoveJob ParseRemove(const JsonReader& root) {
  RemoveJob job;
  ParseBase(root, &job);
  job.reason = ParseRemoveReason(root.Text("reason"));
  job.run_key = ParseRunKey(root);
  job.instance = ParseInstance(root);
  job.earlier_system_identifiers = root.Texts("earlier_system_identifiers");
  return job;
}

MarksJob ParseMarksJob(const JsonReader& root) {
  MarksJob job;
  job.id = root.IntegerOr("id", 0);
  job.storage = ParseStorage(root.Object("storage"));
  job.instance = ParseInstance(root);
  job.stall_timeout = StallTimeout(root);
  for (const JsonReader& reader : root.Objects("marks")) {
    StoredMarks stored;
    stored.id = reader.Integer("id");
    stored.marks.file_name = reader.Text("file_name");
    stored.marks.checksum = reader.Text("checksum");
    stored.marks.pinned = reader.FlagOr("pinned", false);
    stored.marks.verified_at = reader.TextOr("verified_at", "");
    stored.marks.verified_level = reader.TextOr("verified_level", "");
    stored.marks.changed_at = reader.TextOr("changed_at", "");
    if (!IsValidObjectName(stored.marks.file_name))
      throw Error(ErrorKind::kInvalid, fmt::format("\"{}\" cannot be the name of a backup's folder",
                                                   stored.marks.file_name));
    job.marks.push_back(std::move(stored));
  }
  return job;
}

TakeOverJob ParseTakeOver(const JsonReader& root) {
  TakeOverJob job;
  job.id = root.IntegerOr("id", 0);
  job.storage = ParseStorage(root.Object("storage"));
  job.token = root.TextOr("token", "");
  job.instance = ParseInstance(root);
  job.cluster = root.TextOr("cluster", "");
  return job;
}

DropJob ParseDrop(const JsonReader& root) {
  DropJob job;
  job.id = root.Integer("id");
  job.server = ParseServer(root.Object("server"));
  job.target_database = root.Text("target_database");
  if (root.Has("kept_oid")) job.kept_oid = root.Integer("kept_oid");
  return job;
}

PresignJob ParsePresign(const JsonReader& root) {
  PresignJob job;
  ParseBase(root, &job);
  job.objects = root.Texts("objects");
  job.expires = InRange(root, "expires", job.expires, 1, 604800);
  for (const std::string& object : job.objects)
    if (!IsValidObjectName(object))
      throw Error(ErrorKind::kInvalid,
                  fmt::format("\"{}\" cannot be the name of an object", object));
  return job;
}

CopyJob ParseCopy(const JsonReader& root) {
  CopyJob job;
  ParseBase(root, &job);
  job.source = ParseStorage(root.Object("source"));
  job.instance = ParseInstance(root);
  job.checksum = root.OptionalText("checksum");
  return job;
}

CheckJob ParseCheck(const JsonReader& root) {
  CheckJob job;
  job.encryption = ParseEncryption(root);
  job.id = root.IntegerOr("id", 0);
  if (root.Has("server")) {
    job.server = ParseServer(root.Object("server"));
    job.server_major = root.Integer("server_version_num") / 10000;
  }
  if (root.Has("storage")) job.storage = ParseStorage(root.Object("storage"));
  job.storage.patience = kCheckPatience;
  if (root.Has("needed_bytes")) job.needed_bytes = root.Size("needed_bytes");
  job.databases = root.Texts("databases");
  job.max_concurrent = InRange(root, "max_concurrent", job.max_concurrent, 1, INT32_MAX);
  job.format = ParseDumpFormat(root.TextOr("format", "auto"));
  return job;
}

void CheckFolders(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders)
    if (!IsValidObjectName(folder))
      throw Error(ErrorKind::kInvalid,
                  fmt::format("\"{}\" cannot be the name of a folder", folder));
}

JanitorJob ParseJanitor(const JsonReader& root) {
  JanitorJob job;
  job.id = root.IntegerOr("id", 0);
  job.storage = ParseStorage(root.Object("storage"));
  job.instance = ParseInstance(root);
  job.older_than = InRange(root, "older_than", 0, 0, INT32_MAX);
  job.remove = root.FlagOr("remove", false);
  job.folders = root.Texts("folders");
  job.upload_folders = root.Texts("upload_folders");
  CheckFolders(job.folders);
  CheckFolders(job.upload_folders);
  return job;
}

InventoryJob ParseInventory(const JsonReader& root) {
  InventoryJob job;
  job.id = root.IntegerOr("id", 0);
  job.storage = ParseStorage(root.Object("storage"));
  job.encryption = ParseEncryption(root);
  job.folders = root.Texts("folders");
  CheckFolders(job.folders);
  return job;
}

ContentsJob ParseContents(const JsonReader& root) {
  ContentsJob job;
  ParseBase(root, &job);
  job.server = ParseServer(root.Object("server"));
  job.checksum = root.OptionalText("checksum");
  job.copies = ParseCopies(root);
  return job;
}

PasskeyJob ParsePasskey(const JsonReader& root) {
  PasskeyJob job;
  if (!ParsePasskeyHash(root.Text("hash"), &job.hash))
    throw Error(ErrorKind::kInvalid, "field \"hash\" of the job is no hash of a passkey");
  if (root.Has("passkey")) job.passkey.emplace(root.Text("passkey"));
  return job;
}

std::vector<RunNotice> ParseNotices(const JsonReader& root) {
  std::vector<RunNotice> notices;
  for (const JsonReader& each : root.Objects("notices"))
    notices.push_back({each.Integer("id"), each.Object("event").object(), each.Texts("targets")});
  return notices;
}

WebhookJob ParseWebhook(const JsonReader& root) {
  WebhookJob job;
  job.url_file = root.Text("url_file");
  job.format = root.Text("format");
  job.body_template = root.TextOr("template", "");
  job.notices = ParseNotices(root);
  return job;
}

MailJob ParseMail(const JsonReader& root) {
  MailJob job;
  job.smtp_file = root.Text("smtp_file");
  job.recipients = root.Texts("recipients");
  job.notices = ParseNotices(root);
  return job;
}

Job ParseOfKind(std::string_view kind, const JsonReader& root) {
  if (kind == "backup") return ParseBackup(root);
  if (kind == "restore") return ParseRestore(root);
  if (kind == "undo") return ParseUndo(root);
  if (kind == "verify") return ParseVerify(root);
  if (kind == "remove") return ParseRemove(root);
  if (kind == "drop") return ParseDrop(root);
  if (kind == "presign") return ParsePresign(root);
  if (kind == "copy") return ParseCopy(root);
  if (kind == "check") return ParseCheck(root);
  if (kind == "janitor") return ParseJanitor(root);
  if (kind == "inventory") return ParseInventory(root);
  if (kind == "contents") return ParseContents(root);
  if (kind == "passkey") return ParsePasskey(root);
  if (kind == "webhook") return ParseWebhook(root);
  if (kind == "mail") return ParseMail(root);
  if (kind == "take_over") return ParseTakeOver(root);
  if (kind == "marks") return ParseMarksJob(root);
  throw Error(ErrorKind::kInvalid, fmt::format("there is no job \"{}\"", kind));
}

}  // namespace

VerifyLevel ParseVerifyLevel(const std::string& text) {
  if (text == "checksum") return VerifyLevel::kChecksum;
  if (text == "archive") return VerifyLevel::kArchive;
  if (text == "restore") return VerifyLevel::kRestore;
  throw Error(ErrorKind::kInvalid, fmt::format("there is no level of verification \"{}\"", text),
              "", "Use checksum, archive or restore.");
}

OnError ParseOnError(const std::string& text) {
  if (text == "stop") return OnError::kStop;
  if (text == "continue") return OnError::kContinue;
  throw Error(ErrorKind::kInvalid, fmt::format("on_error \"{}\" is not known", text), "",
              "Use stop or continue.");
}

Job ParseJob(std::string_view line) {
  const boost::json::object object = ParseJsonObject(line, "the job");
  const JsonReader root(object, "the job");
  const int64_t protocol = root.Integer("protocol");
  if (protocol != kJobProtocol)
    throw Error(ErrorKind::kInvalid, fmt::format("the job speaks protocol {}", protocol),
                fmt::format("This program speaks protocol {}.", kJobProtocol),
                "Install the executable and the extension from one build; after an upgrade, "
                "restart the server.");
  Job job = ParseOfKind(root.Text("job"), root);
  std::visit(
      [&](JobBase& each) {
        each.nice = InRange(root, "nice", 0, 0, 19);
        each.manifest_key = {root.TextOr("manifest_key_file", ""),
                             root.FlagOr("allow_unsigned", false)};
      },
      job);
  return job;
}

}  // namespace pgbackup
