#include "core/restore/plan/archived_code.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

using Needs = ArchivedCode::Needs;

TocEntry Entry(const char* kind, const char* tag, uint32_t oid, bool queries_by_text = false) {
  TocEntry entry;
  entry.kind = kind;
  entry.tag = tag;
  entry.schema = "s";
  entry.oid = oid;
  entry.queries_by_text = queries_by_text;
  return entry;
}

std::optional<ArchiveToc> Toc(std::vector<TocEntry> entries) {
  ArchiveToc toc;
  toc.entries = std::move(entries);
  toc.entries.push_back(Entry("TABLE", "t", 100));
  toc.entries.push_back(Entry("TABLE", "u", 101));
  return toc;
}

TEST(ArchivedCode, IsWhatTheManifestRecords) {
  Manifest manifest;
  manifest.user_code = UserCode{{100}, {101}, {200}, {201}, {202}};
  const auto toc = Toc({Entry("FUNCTION", "f()", 1)});
  const ArchivedCode code(manifest, toc);
  EXPECT_EQ(code.OfRows(QualifiedName{"s", "t"}), Needs::kEverything);
  EXPECT_EQ(code.OfRows(QualifiedName{"s", "u"}), Needs::kExtensions);
  EXPECT_EQ(code.OfRows(102), Needs::kNothing);
  EXPECT_EQ(code.OfRows(QualifiedName{"s", "unknown"}), Needs::kEverything);
  EXPECT_TRUE(code.AnyNeedsEverything());
  EXPECT_TRUE(code.Calls(Entry("INDEX", "i", 200)));
  EXPECT_FALSE(code.Calls(Entry("INDEX", "i", 201)));
  EXPECT_FALSE(code.Calls(Entry("TABLE", "i", 200)));
  for (const char* kind : {"CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT"}) {
    EXPECT_TRUE(code.Calls(Entry(kind, "c", 201))) << kind;
    EXPECT_FALSE(code.Calls(Entry(kind, "c", 200))) << kind;
  }
  EXPECT_TRUE(code.Calls(Entry("MATERIALIZED VIEW DATA", "m", 202)));
  EXPECT_TRUE(code.MayBeEarly(Entry("INDEX", "i", 201)));
  EXPECT_FALSE(code.MayBeEarly(Entry("INDEX", "i", 200)));
}

TEST(ArchivedCode, WithoutARecordIsAnythingWhereThereIsCode) {
  const Manifest manifest;
  for (const TocEntry& entry :
       {Entry("FUNCTION", "f()", 1), Entry("AGGREGATE", "a", 1), Entry("OPERATOR", "##", 1),
        Entry("CAST", "c", 1), Entry("EXTENSION", "postgis", 1), Entry("DOMAIN", "d", 1, true)}) {
    const auto toc = Toc({entry});
    const ArchivedCode code(manifest, toc);
    EXPECT_EQ(code.OfRows(102), Needs::kEverything) << entry.kind;
    EXPECT_TRUE(code.AnyNeedsEverything());
    EXPECT_FALSE(code.MayBeEarly(Entry("INDEX", "i", 200)));
    EXPECT_TRUE(code.Calls(Entry("MATERIALIZED VIEW DATA", "m", 202)));
    // They come at the end, and at the same time, as they always have.
    EXPECT_FALSE(code.Calls(Entry("INDEX", "i", 200)));
  }
  const std::optional<ArchiveToc> unreadable;
  EXPECT_TRUE(ArchivedCode(manifest, unreadable).AnyNeedsEverything());
}

TEST(ArchivedCode, WithoutARecordIsNothingWhereThereIsNone) {
  const Manifest manifest;
  const auto toc =
      Toc({Entry("DOMAIN", "d", 1), Entry("TYPE", "e", 2), Entry("EXTENSION", "citext", 3)});
  const ArchivedCode code(manifest, toc);
  EXPECT_EQ(code.OfRows(QualifiedName{"s", "t"}), Needs::kNothing);
  EXPECT_FALSE(code.AnyNeedsEverything());
  EXPECT_TRUE(code.MayBeEarly(Entry("INDEX", "i", 200)));
  EXPECT_FALSE(code.Calls(Entry("MATERIALIZED VIEW DATA", "m", 202)));
}

}  // namespace
}  // namespace pgbackup
