#include "core/job/job.h"

#include "pipeline_test_support.h"
#include "text_test_support.h"

namespace pgbackup {
namespace {

const char* const kBackup = R"({"protocol":1,"job":"backup","id":7,
  "server":{"host":"/run","port":5433,"user":"u","maintenance_database":"m","conninfo":"",
            "bin_directory":"/bin"},
  "storage":{"url":"s3://b/p","s3":{"region":"r","endpoint":"","part_size":5242880}},
  "file_name":"c/db/x","database":"db",
  "cluster":{"name":"c","environment":"e","system_identifier":"18446744073709551615",
             "server_version":"15.20","server_version_num":150020},
  "backup_type":"scheduled","schedule":"nightly","label":null,"created_by":"me","created_at":"now",
  "options":{"schemas":["a","B"],"tables":null,"content":"all","format":"custom","jobs":3,
             "compression":"zstd:9","include_globals":false,"lock_wait_timeout_ms":500,
             "lock_guard_timeout_ms":0},
  "stall_timeout":7})";

TEST(Job, ABackupIsReadFieldByField) {
  const BackupJob job = std::get<BackupJob>(ParseJob(kBackup));
  EXPECT_EQ(job.id, 7);
  EXPECT_EQ(job.server.port, "5433");
  EXPECT_EQ(job.server.maintenance_database, "m");
  EXPECT_EQ(job.storage.url, "s3://b/p");
  EXPECT_EQ(job.storage.s3.region, "r");
  EXPECT_EQ(job.storage.s3.part_size, 5242880u);
  EXPECT_EQ(job.cluster.system_identifier, "18446744073709551615");
  EXPECT_EQ(job.schedule, "nightly");
  EXPECT_EQ(job.label, std::nullopt);
  EXPECT_EQ(job.options.selection.schemas, (std::vector<std::string>{"a", "B"}));
  EXPECT_TRUE(job.options.selection.tables.empty());
  EXPECT_EQ(job.options.format, DumpFormat::kCustom);
  EXPECT_EQ(job.options.compression.level, 9);
  EXPECT_FALSE(job.options.include_globals);
  EXPECT_EQ(job.options.lock_wait_timeout_ms, 500);
  EXPECT_EQ(job.options.lock_guard_timeout_ms, 0);
  EXPECT_EQ(job.stall_timeout, std::chrono::seconds(7));
}

TEST(Job, CopiesAreStoragesWithAllTheirSettings) {
  EXPECT_TRUE(std::get<BackupJob>(ParseJob(kBackup)).copies.empty());
  const BackupJob job = std::get<BackupJob>(
      ParseJob(Replaced(kBackup, R"("file_name")",
                        R"("copies":[{"url":"file:///a"},{"url":"s3://b?region=x",)"
                        R"("s3":{"region":"r"}}],"file_name")")));
  ASSERT_EQ(job.copies.size(), 2u);
  EXPECT_EQ(job.copies[0].url, "file:///a");
  EXPECT_EQ(job.copies[1].url, "s3://b?region=x");
  EXPECT_EQ(job.copies[1].s3.region, "r");
}

TEST(Job, ACopyHasASource) {
  const char* const text = R"({"protocol":1,"job":"copy","id":9,"file_name":"f","checksum":"ab",
    "storage":{"url":"s3://b"},"source":{"url":"file:///a"}})";
  const CopyJob job = std::get<CopyJob>(ParseJob(text));
  EXPECT_EQ(job.id, 9);
  EXPECT_EQ(job.storage.url, "s3://b");
  EXPECT_EQ(job.source.url, "file:///a");
  EXPECT_EQ(job.checksum, "ab");
  EXPECT_EQ(ErrorOf([&] { ParseJob(Replaced(text, "source", "sauce")); }).kind(),
            ErrorKind::kInvalid);
}

TEST(Job, TheStorageBringsAllItsSettings) {
  const StorageSettings storage =
      std::get<BackupJob>(
          ParseJob(Replaced(
              kBackup, R"("s3":{"region":"r",)",
              R"("bandwidth_limit":1000,"s3":{"region":"r","storage_class":"C","sse":"aws:kms",)"
              R"("kms_key_id":"k","object_lock_mode":"governance","object_lock_days":3,)"
              R"("checksum":"sha256","tags":"a=b","requester_pays":true,"concurrency":7,"sse_c_key_file":"/k","proxy":"http://p:1",)")))
          .storage;
  EXPECT_EQ(storage.bandwidth_limit, 1000u);
  EXPECT_EQ(storage.s3.storage_class, "C");
  EXPECT_EQ(storage.s3.sse, "aws:kms");
  EXPECT_EQ(storage.s3.kms_key_id, "k");
  EXPECT_EQ(storage.s3.object_lock_mode, "governance");
  EXPECT_EQ(storage.s3.object_lock_days, 3u);
  EXPECT_EQ(storage.s3.checksum, "sha256");
  EXPECT_EQ(storage.s3.tags, "a=b");
  EXPECT_TRUE(storage.s3.requester_pays);
  EXPECT_EQ(storage.s3.concurrency, 7u);
  EXPECT_EQ(storage.s3.sse_c_key_file, "/k");
  EXPECT_EQ(storage.s3.proxy, "http://p:1");
  EXPECT_EQ(std::get<BackupJob>(ParseJob(kBackup)).storage.bandwidth_limit, 0u);
}

TEST(Job, NumbersThatMayBeTextsAreReadEitherWay) {
  EXPECT_EQ(std::get<BackupJob>(ParseJob(Replaced(kBackup, "5433", "\"5433\""))).server.port,
            "5433");
  EXPECT_EQ(std::get<BackupJob>(
                ParseJob(Replaced(kBackup, "\"18446744073709551615\"", "18446744073709551615")))
                .cluster.system_identifier,
            "18446744073709551615");
}

TEST(Job, ARestoreHasDefaults) {
  const RestoreJob job = std::get<RestoreJob>(ParseJob(
      R"({"protocol":1,"job":"restore","id":1,"server":{},"storage":{"url":"file:///x"},
          "file_name":"f","backup_id":5,"target_database":"t","checksum":null})"));
  EXPECT_EQ(job.target_database, "t");
  EXPECT_EQ(job.checksum, std::nullopt);
  EXPECT_EQ(job.options.jobs, 2);
  EXPECT_TRUE(job.options.statistics);
  EXPECT_EQ(job.server.maintenance_database, "postgres");
}

TEST(Job, ARestoreCanGoWithoutStatistics) {
  const RestoreJob job = std::get<RestoreJob>(ParseJob(
      R"({"protocol":1,"job":"restore","id":1,"server":{},"storage":{"url":"file:///x"},
          "file_name":"f","target_database":"t","options":{"statistics":false}})"));
  EXPECT_FALSE(job.options.statistics);
}

TEST(Job, RestoresAndVerificationsHaveLimits) {
  const std::string text =
      R"({"protocol":1,"job":"restore","id":1,"server":{},"storage":{"url":"file:///x"},
          "file_name":"f","target_database":"t","database":"t","stall_timeout":3,
          "options":{"lock_wait_timeout_ms":500,"level":"restore"}})";
  const RestoreJob restore = std::get<RestoreJob>(ParseJob(text));
  EXPECT_EQ(restore.options.lock_wait_timeout_ms, 500);
  EXPECT_EQ(restore.stall_timeout, std::chrono::seconds(3));
  const VerifyJob verify =
      std::get<VerifyJob>(ParseJob(Replaced(text, "\"job\":\"restore\"", "\"job\":\"verify\"")));
  EXPECT_EQ(verify.lock_wait_timeout_ms, 500);
  EXPECT_EQ(verify.stall_timeout, std::chrono::seconds(3));
}

TEST(Job, AReplacingRestoreNeedsANameForWhatItReplaces) {
  const std::string job =
      R"({"protocol":1,"job":"restore","id":1,"server":{},"storage":{"url":"file:///x"},
          "file_name":"f","target_database":"t","kept_database":"t__before",
          "options":{"replace":true}})";
  const RestoreJob restore = std::get<RestoreJob>(ParseJob(job));
  EXPECT_TRUE(restore.options.replace);
  EXPECT_EQ(restore.kept_database, "t__before");
  EXPECT_EQ(restore.raw_bytes_per_second, 0u);
  EXPECT_EQ(std::get<RestoreJob>(
                ParseJob(Replaced(job, "\"options\"", "\"raw_bytes_per_second\":7,\"options\"")))
                .raw_bytes_per_second,
            7u);
  EXPECT_THROW(ParseJob(Replaced(job, "\"kept_database\":\"t__before\",", "")), Error);
}

TEST(Job, AnUndoNamesThreeDatabases) {
  const std::string job =
      R"({"protocol":1,"job":"undo","id":8,"server":{},"target_database":"t",
          "incoming_database":"t__before","kept_database":"t__undone"})";
  const UndoJob undo = std::get<UndoJob>(ParseJob(job));
  EXPECT_EQ(undo.id, 8);
  EXPECT_EQ(undo.target_database, "t");
  EXPECT_EQ(undo.incoming_database, "t__before");
  EXPECT_EQ(undo.kept_database, "t__undone");
  EXPECT_THROW(ParseJob(Replaced(job, "\"incoming_database\":\"t__before\",", "")), Error);
}

TEST(Job, ARemovalNeedsNoServer) {
  const RemoveJob job = std::get<RemoveJob>(ParseJob(
      R"({"protocol":1,"job":"remove","id":1,"storage":{"url":"file:///x"},"file_name":"f",
          "reason":"expired","run_key":"0123456789abcdef0123456789abcdef",
          "earlier_system_identifiers":["10","11"],
          "instance":{"system_identifier":"12","token":"t","place":"p","timeline":3}})"));
  EXPECT_EQ(job.earlier_system_identifiers, (std::vector<std::string>{"10", "11"}));
  EXPECT_EQ(job.reason, RemoveReason::kExpired);
  EXPECT_EQ(job.run_key, "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(job.instance, (Instance{"12", "t", "p", 3}));
}

TEST(Job, APresignNamesItsObjects) {
  const PresignJob job = std::get<PresignJob>(
      ParseJob(R"({"protocol":1,"job":"presign","id":9,"storage":{"url":"s3://b"},"file_name":"f",)"
               R"("objects":["a","b"],"expires":60})"));
  EXPECT_EQ(job.objects, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(job.expires, 60);
  EXPECT_THROW(ParseJob(R"({"protocol":1,"job":"presign","id":9,"storage":{"url":"s3://b"},)"
                        R"("file_name":"f","objects":["../x"]})"),
               Error);
}

TEST(Job, ACheckMayHaveNoStorage) {
  const CheckJob job = std::get<CheckJob>(
      ParseJob(R"({"protocol":1,"job":"check","id":0,"server":{"host":"/s"},"storage":null,)"
               R"("server_version_num":150020,"needed_bytes":1000,"databases":["a","b"],)"
               R"("max_concurrent":3,"format":"plain"})"));
  EXPECT_EQ(job.storage.url, "");
  EXPECT_EQ(job.server_major, 15);
  EXPECT_EQ(job.needed_bytes, 1000u);
  EXPECT_EQ(job.databases, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(job.max_concurrent, 3);
  EXPECT_EQ(job.format, DumpFormat::kPlain);
  EXPECT_GT(job.storage.patience.count(), 0);
}

TEST(Job, AJanitorLooksUnlessItIsToldToRemove) {
  JanitorJob job = std::get<JanitorJob>(
      ParseJob(R"({"protocol":1,"job":"janitor","id":0,"storage":{"url":"s3://b"},)"
               R"("older_than":60,"remove":false,"folders":null,"upload_folders":null})"));
  EXPECT_EQ(job.older_than, 60);
  EXPECT_FALSE(job.remove);
  job = std::get<JanitorJob>(
      ParseJob(R"({"protocol":1,"job":"janitor","id":0,"storage":{"url":"s3://b"},)"
               R"("older_than":60,"remove":true,"folders":["a/b"],"upload_folders":["c"]})"));
  EXPECT_TRUE(job.remove);
  EXPECT_EQ(job.folders, std::vector<std::string>{"a/b"});
  EXPECT_EQ(job.upload_folders, std::vector<std::string>{"c"});
  for (const char* wrong :
       {R"("folders":["../x"])", R"("upload_folders":[""])", R"("older_than":-1)"})
    EXPECT_THROW(
        ParseJob(std::string(R"({"protocol":1,"job":"janitor","storage":{"url":"s3://b"},)") +
                 wrong + "}"),
        Error)
        << wrong;
}

TEST(Job, AVerificationHasALevel) {
  const std::string text =
      R"({"protocol":1,"job":"verify","id":9,"server":{"bin_directory":"/b"},"checksum":"ab",
          "storage":{"url":"s3://b"},"file_name":"f","options":{"level":"archive","jobs":4},"database":"db"})";
  const VerifyJob job = std::get<VerifyJob>(ParseJob(text));
  EXPECT_EQ(job.level, VerifyLevel::kArchive);
  EXPECT_EQ(job.jobs, 4);
  EXPECT_EQ(job.checksum, "ab");
  EXPECT_EQ(job.server.bin_directory, "/b");
  EXPECT_EQ(std::get<VerifyJob>(ParseJob(Replaced(text, "\"archive\"", "\"checksum\""))).level,
            VerifyLevel::kChecksum);
  EXPECT_THROW(ParseJob(Replaced(text, "\"archive\"", "\"hope\"")), Error);
}

TEST(Job, AnInventoryReadsTheFoldersItIsGiven) {
  const std::string text =
      R"({"protocol":1,"job":"inventory","storage":{"url":"s3://b"},"folders":["a/b","c"]})";
  EXPECT_EQ(std::get<InventoryJob>(ParseJob(text)).folders, (std::vector<std::string>{"a/b", "c"}));
  EXPECT_TRUE(
      std::get<InventoryJob>(ParseJob(Replaced(text, R"(["a/b","c"])", "null"))).folders.empty());
  EXPECT_THROW(ParseJob(Replaced(text, "a/b", "../b")), Error);
}

TEST(Job, ADropNeedsNoStorage) {
  const DropJob drop = std::get<DropJob>(
      ParseJob(R"({"protocol":1,"job":"drop","id":9,"server":{"host":"/s","port":5432},)"
               R"("target_database":"shop"})"));
  EXPECT_EQ(drop.id, 9);
  EXPECT_EQ(drop.target_database, "shop");
  EXPECT_EQ(drop.kept_oid, std::nullopt);
  const DropJob kept = std::get<DropJob>(
      ParseJob(R"({"protocol":1,"job":"drop","id":9,"server":{},"target_database":"old",)"
               R"("kept_oid":16999})"));
  EXPECT_EQ(kept.kept_oid, 16999);
}

TEST(Job, AnyMayBeNice) {
  const auto nice_of = [](const std::string& text) {
    return std::visit([](const JobBase& job) { return job.nice; }, ParseJob(text));
  };
  EXPECT_EQ(nice_of(kBackup), 0);
  EXPECT_EQ(nice_of(Replaced(kBackup, "\"id\":7", "\"id\":7,\"nice\":19")), 19);
  const char* const drop =
      R"({"protocol":1,"job":"drop","id":9,"nice":5,"server":{},"target_database":"shop"})";
  EXPECT_EQ(nice_of(drop), 5);
}

TEST(Job, WhatIsWrongIsNamed) {
  for (const auto& [from, to, part] : std::vector<std::array<std::string, 3>>{
           {"\"protocol\":1", "\"protocol\":9", "protocol 9"},
           {"\"backup\"", "\"dance\"", "dance"},
           {"\"id\":7", "\"id\":\"7\"", "\"id\""},
           {"\"id\":7", "\"id\":7,\"nice\":20", "nice"},
           {"\"jobs\":3", "\"jobs\":0", "options.jobs"},
           {"zstd:9", "gzip:10", "gzip:10"},
           {"\"custom\"", "\"tar\"", "tar"},
           {"[\"a\",\"B\"]", "\"a\"", "options.schemas"},
           {"c/db/x", "../x", "../x"},
           {"\"database\":\"db\",", "", "database"},
           {"\"host\":\"/run\"", "\"host\":5", "server.host"}}) {
    const Error error = ErrorOf([&, f = from, t = to] { ParseJob(Replaced(kBackup, f, t)); });
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_NE(error.message().find(part), std::string::npos) << error.message();
  }
}

TEST(Job, GarbageIsRefused) {
  for (const char* line : {"", "hello", "[]", "{", "{}"})
    EXPECT_EQ(ErrorOf([&] { ParseJob(line); }).kind(), ErrorKind::kInvalid) << line;
}

TEST(Job, NoticesAreReadWithTheirEvents) {
  const auto job = std::get<WebhookJob>(ParseJob(
      R"({"protocol":1,"job":"webhook","url_file":"/u","format":"slack","template":"t",
          "notices":[{"id":3,"targets":["m"],"event":{"kind":"backup","n":1}}]})"));
  EXPECT_EQ(job.url_file, "/u");
  EXPECT_EQ(job.format, "slack");
  EXPECT_EQ(job.body_template, "t");
  ASSERT_EQ(job.notices.size(), 1u);
  EXPECT_EQ(job.notices[0].id, 3);
  EXPECT_EQ(job.notices[0].targets, std::vector<std::string>{"m"});
  EXPECT_EQ(job.notices[0].event.at("n"), 1);
  const auto mail = std::get<MailJob>(ParseJob(
      R"({"protocol":1,"job":"mail","smtp_file":"/s","recipients":["a@b"],"notices":[]})"));
  EXPECT_EQ(mail.smtp_file, "/s");
  EXPECT_EQ(mail.recipients, std::vector<std::string>{"a@b"});
}

}  // namespace
}  // namespace pgbackup
