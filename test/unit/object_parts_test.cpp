#include "core/restore/plan/object_parts.h"

#include "archive_test_support.h"
#include "core/base/sha256.h"
#include "core/pipeline/zstd_sink.h"
#include "core/storage/forwarding_storage.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

class ReadCountingStorage final : public ForwardingStorage {
 public:
  using ForwardingStorage::ForwardingStorage;
  void Get(const std::string& name, Sink& to, uint64_t offset, uint64_t length) override {
    read[name] += length == kToTheEnd ? 1 << 30 : length;
    ForwardingStorage::Get(name, to, offset, length);
  }
  std::map<std::string, uint64_t> read;  // bytes asked for
};

std::string Compressed(const std::string& text) {
  SinkLog log;
  ZstdSink sink(std::make_unique<LoggingSink>(&log), Compression{});
  sink.Write(AsBytes(text));
  sink.Finish();
  return log.bytes;
}

// The definitions of s.t, s.u, s.small; rows of t in an archive and a range, of u in an archive
// with v, the rest in data-000, behind whose table of contents a lot follows.
struct Backup {
  Backup() {
    ArchiveHead schema(14);
    schema.Integer(3);
    schema.Entry(1, "TABLE", "s", "t", {});
    schema.Entry(2, "TABLE", "s", "u", {});
    schema.Entry(3, "TABLE", "s", "small", {});
    toc = *ParseArchiveToc(schema.bytes());
    Add("schema", {"pre-data", "post-data"}, {}, schema.bytes());
    ArchiveHead rest(14);
    rest.Integer(2);
    rest.Entry(7, "TABLE DATA", "s", "small", {});
    rest.Entry(8, "SEQUENCE SET", "s", "q", {});
    std::string bytes = rest.bytes();
    for (uint32_t i = 0, x = 1; i < 1 << 20; ++i, x = x * 1664525 + 1013904223)
      bytes += static_cast<char>(x >> 24);
    Add("data-000", {"data"}, {}, bytes);
    ArchiveHead two(14);
    two.Integer(2);
    two.Entry(5, "TABLE DATA", "s", "u", {});
    two.Entry(6, "TABLE DATA", "s", "v", {});
    Add("data-001", {"data"}, {{"s", "u"}, {"s", "v"}}, two.bytes());
    Add("data-002", {"data"}, {{"s", "t"}}, "COPY …");
    manifest.objects.back().kind = ObjectKind::kCopy;
  }

  void Add(const char* name, std::vector<std::string> sections, std::vector<QualifiedName> of,
           const std::string& content) {
    const std::string stored = Compressed(content);
    memory.objects[std::string("f/") + name] = stored;
    ManifestObject object;
    object.name = std::string(name) + ".zst";
    object.sections = std::move(sections);
    object.tables = of;
    object.raw_size = content.size();
    object.segments = {{name, stored.size(), ToHex(Sha256::Of(stored))}};
    manifest.objects.push_back(object);
    tables.push_back(std::move(of));
  }

  std::vector<ObjectPart> Select(const WantedParts& wanted) {
    return SelectObjectParts(storage, "f", manifest, 0, toc, SelectParts(toc, wanted), tables);
  }

  MemoryStorage memory;
  ReadCountingStorage storage{memory};
  Manifest manifest;
  ArchiveToc toc;
  std::vector<std::vector<QualifiedName>> tables;
};

using Take = ObjectPart::Take;

TEST(ObjectParts, ObjectsOfOtherTablesAreNotReadAndOthersNoFurtherThanTheirContents) {
  Backup backup;
  const std::vector<ObjectPart> parts = backup.Select({{}, {{"s", "t"}}});
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].take, Take::kListed);
  EXPECT_EQ(parts[0].list, "1;\n");
  EXPECT_EQ(parts[1].take, Take::kNothing);
  EXPECT_EQ(parts[2].take, Take::kNothing);
  EXPECT_EQ(parts[3].take, Take::kAll);
  EXPECT_EQ(backup.storage.read, (std::map<std::string, uint64_t>{{"f/data-000", 64 << 10}}));
}

TEST(ObjectParts, OfABundleTheSelectedTablesAreTaken) {
  Backup backup;
  const std::vector<ObjectPart> parts = backup.Select({{}, {{"s", "u"}}});
  EXPECT_EQ(parts[2].take, Take::kListed);
  EXPECT_EQ(parts[2].list, "5;\n");
  EXPECT_EQ(parts[3].take, Take::kNothing);
}

TEST(ObjectParts, WhatHasNoObjectOfItsOwnIsFoundAmongTheRest) {
  Backup backup;
  const std::vector<ObjectPart> parts = backup.Select({{}, {{"s", "small"}}});
  EXPECT_EQ(parts[1].take, Take::kListed);
  EXPECT_EQ(parts[1].list, "7;\n");
  EXPECT_EQ(parts[2].take, Take::kNothing);
  EXPECT_EQ(parts[3].take, Take::kNothing);
}

TEST(ObjectParts, AnArchiveThatEndsWithinItsContentsIsDamaged) {
  Backup backup;
  backup.memory.objects["f/data-000"] = Compressed("PGDMP\x01\x0e");
  backup.manifest.objects[1].segments[0].size = backup.memory.objects["f/data-000"].size();
  EXPECT_EQ(ErrorOf([&] { backup.Select({{}, {{"s", "t"}}}); }).kind(), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace pgbackup
