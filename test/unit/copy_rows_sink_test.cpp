#include "core/manifest/copy_rows_sink.h"

#include "core/base/sha256.h"
#include "core/manifest/table_rows.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

constexpr const char* kBegin = "SET x;\nCOPY t (a) FROM stdin;\n";

// Writes `text` in pieces of `piece` bytes and finishes.
void Feed(Sink& sink, std::string_view text, size_t piece) {
  for (size_t at = 0; at < text.size(); at += piece) sink.Write(AsBytes(text.substr(at, piece)));
  sink.Finish();
}

std::string RowsOf(const std::string& text, size_t piece) {
  SinkLog log;
  CopyRowsSink sink(std::make_unique<LoggingSink>(&log), kBegin, "data-001.sql.zst");
  Feed(sink, text, piece);
  EXPECT_EQ(log.finished, 1);
  return log.bytes;
}

Error Refusal(const std::string& text, size_t piece) {
  SinkLog log;
  CopyRowsSink sink(std::make_unique<LoggingSink>(&log), kBegin, "data-001.sql.zst");
  Error error = ErrorOf([&] { Feed(sink, text, piece); });
  EXPECT_EQ(log.finished, 0);
  return error;
}

TEST(CopyRowsSink, PassesTheRowsAloneHoweverTheyArePieced) {
  for (const std::string rows :
       {"", "\n", "1\n", "1\n2\n\\N\n", "\\\\.\n", "a\\.\n", "\\.x\n", "12345678901234567890\n"})
    for (size_t piece = 1; piece < 60; ++piece)
      EXPECT_EQ(RowsOf(kBegin + rows + kCopyEnd, piece), rows) << piece;
}

TEST(CopyRowsSink, WhatIsCutOffIsDamaged) {
  const std::string whole = std::string(kBegin) + "1\n22\n333\n" + kCopyEnd;
  for (size_t size = 0; size < whole.size(); ++size)
    for (const size_t piece : {1, 3, 5, 100}) {
      const Error error = Refusal(whole.substr(0, size), piece);
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
      EXPECT_NE(error.message().find("data-001.sql.zst"), std::string::npos);
    }
}

TEST(CopyRowsSink, WhatFollowsTheEndIsDamage) {
  for (const std::string more : {"x", "\n", "1\n", "1\n\\.\n", "\\.\n", "a much longer text\n"})
    for (const std::string rows : {"", "1\n", "1\n22\n333\n"})
      for (size_t piece = 1; piece < 60; ++piece)
        EXPECT_EQ(Refusal(kBegin + rows + kCopyEnd + more, piece).kind(), ErrorKind::kCorrupt)
            << rows << more << piece;
}

TEST(CopyRowsSink, AnotherBeginningIsRefusedBeforeAnyRow) {
  std::string other = kBegin;
  other[other.size() - 10] ^= 1;
  for (const size_t piece : {1, 7, 1000}) {
    SinkLog log;
    CopyRowsSink sink(std::make_unique<LoggingSink>(&log), kBegin, "o");
    EXPECT_EQ(ErrorOf([&] { Feed(sink, other + "1\n" + kCopyEnd, piece); }).kind(),
              ErrorKind::kCorrupt);
    EXPECT_EQ(log.bytes, "");
  }
}

}  // namespace
}  // namespace pgbackup
