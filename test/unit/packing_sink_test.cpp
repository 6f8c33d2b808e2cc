#include "core/archive/packing_sink.h"

#include <gtest/gtest.h>

#include <map>

#include "archive_test_support.h"
#include "error_test_support.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

class Shown final : public ArchiveObserver {
 public:
  void OnEntry(TocEntry entry) override { entries.push_back(entry.tag); }
  void OnData(int64_t entry_id, std::span<const std::byte> data) override {
    rows[entry_id].append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  std::vector<std::string> entries;
  std::map<int64_t, std::string> rows;
};

// An archive with the rows of tables 7 and 8, and of a large object, in pieces.
Archive MakeArchive() {
  ArchiveHead head(14);
  head.Integer(2);
  head.Entry(7, "TABLE DATA", "public", "small", {}, "", 3);
  head.Entry(8, "TABLE DATA", "public", "big", {}, "", 3);
  Archive archive;
  archive.head = archive.bytes = head.bytes();
  archive.Table(7, {"1\tone\n", "2\ttwo\n", "\\.\n\n\n"});
  std::vector<std::string> many;
  for (int i = 0; i < 30000; ++i) many.push_back(std::to_string(i) + "\tsome text\n");
  many.push_back(std::string(200000, 'x') + "\n");
  many.emplace_back("\\.\n\n\n");
  archive.Table(8, many);
  archive.LargeObject(9, {"abc", std::string(100000, 'y')});
  archive.Table(10, {});
  return archive;
}

std::string Pack(const std::string& bytes, size_t piece, Shown* shown) {
  SinkLog log;
  LoggingSink next(&log);
  PackingSink sink(next, *shown, "data-000.dump");
  const auto all = std::as_bytes(std::span(bytes.data(), bytes.size()));
  for (size_t at = 0; at < all.size(); at += piece)
    sink.Write(all.subspan(at, std::min(piece, all.size() - at)));
  sink.Finish();
  EXPECT_EQ(log.finished, 0);
  return log.bytes;
}

TEST(PackingSink, GivesTheSameDataInFewChunksHoweverTheBytesCome) {
  const Archive archive = MakeArchive();
  Archive expected;
  expected.bytes = archive.head;
  const auto packed = [](std::string all) {
    std::vector<std::string> chunks;
    for (; all.size() > 65536; all.erase(0, 65536)) chunks.push_back(all.substr(0, 65536));
    if (!all.empty()) chunks.push_back(all);
    return chunks;
  };
  expected.Table(7, packed(archive.rows.at(7)));
  expected.Table(8, packed(archive.rows.at(8)));
  expected.LargeObject(9, packed(archive.large_object));
  expected.Table(10, {});
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{7}, size_t{4096}, archive.bytes.size()}) {
    Shown shown;
    EXPECT_EQ(Pack(archive.bytes, piece, &shown), expected.bytes) << piece;
    EXPECT_EQ(shown.entries, (std::vector<std::string>{"small", "big"})) << piece;
    EXPECT_EQ(shown.rows[7], archive.rows.at(7)) << piece;
    EXPECT_EQ(shown.rows[8], archive.rows.at(8)) << piece;
    EXPECT_EQ(shown.rows.count(9), 0U) << piece;
  }
  // What is packed stays so.
  Shown again;
  EXPECT_EQ(Pack(expected.bytes, 1000, &again), expected.bytes);
}

TEST(PackingSink, RefusesAnArchiveThatEndsTooEarlyOrIsNone) {
  const Archive archive = MakeArchive();
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {
      {archive.head.substr(0, archive.head.size() - 1),
       "object \"data-000.dump\" ends within its table of contents"},
      {archive.head + '\1', "object \"data-000.dump\" ends within the data of entry 0"},
      {archive.bytes.substr(0, archive.head.size() + 14),
       "object \"data-000.dump\" ends within the data of entry 7"},
      {archive.bytes.substr(0, archive.bytes.size() - 1),
       "object \"data-000.dump\" ends within the data of entry 10"},
      {archive.bytes + '\2', "object \"data-000.dump\" has a block of unknown type 2"},
      {archive.bytes + std::string("\1\0\7\0\0\0\1\1\0\0\0", 11),
       "object \"data-000.dump\" has a chunk of impossible length"},
  };
  for (const auto& one : cases) {
    Shown shown;
    const Error error = ErrorOf([&] { Pack(one.bytes, 5, &shown); });
    EXPECT_EQ(error.kind(), ErrorKind::kTool);
    EXPECT_EQ(error.message(), one.message);
  }
}

}  // namespace
}  // namespace pgbackup
