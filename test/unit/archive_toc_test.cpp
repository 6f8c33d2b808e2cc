#include "core/restore/archive_toc.h"

#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

// Writes the head of an archive as pg_dump does.
class ArchiveHead {
 public:
  explicit ArchiveHead(int minor) : minor_(minor) {
    bytes_ = std::string("PGDMP\x01", 6) + static_cast<char>(minor) + '\0' + '\4' + '\10' + '\1';
    if (minor >= 15)
      bytes_ += '\0';
    else
      Integer(-1);
    for (int i = 0; i < 7; ++i) Integer(1);
    for (const char* text : {"db", "15.20", "15.20"}) Text(text);
  }
  void Integer(int64_t value) {
    bytes_ += value < 0 ? '\1' : '\0';
    for (uint64_t rest = static_cast<uint64_t>(value < 0 ? -value : value), i = 0; i < 4; ++i)
      bytes_ += static_cast<char>((rest >> (8 * i)) & 255);
  }
  void Text(const std::string& text) {
    Integer(static_cast<int64_t>(text.size()));
    bytes_ += text;
  }
  void Missing() { Integer(-1); }
  void Entry(int id, const char* kind, const char* schema, const std::string& tag,
             const std::vector<int>& depends_on) {
    Integer(id);
    Integer(1);
    Text("1259");
    Text("16384");
    Text(tag);
    Text(kind);
    Integer(2);
    Text("CREATE …");
    Text("");
    Missing();
    if (*schema == '\0')
      Missing();
    else
      Text(schema);
    Missing();
    if (minor_ >= 14) Text("heap");
    if (minor_ >= 16) Integer('r');
    Text("owner");
    Text("false");
    for (const int dependency : depends_on) Text(std::to_string(dependency));
    Missing();
    bytes_ += std::string(9, '\2');
  }
  const std::string& bytes() const { return bytes_; }

 private:
  int minor_;
  std::string bytes_;
};

std::string TwoEntries(int minor) {
  ArchiveHead head(minor);
  head.Integer(2);
  head.Entry(215, "TABLE", "My Schema", "a b\nc", {6, 7});
  head.Entry(216, "SCHEMA", "", "x", {});
  return head.bytes();
}

TEST(ArchiveToc, ReadsEveryVersionThatPgDump10To18Writes) {
  for (const int minor : {12, 13, 14, 15, 16}) {
    const auto toc = ParseArchiveToc(TwoEntries(minor) + "what follows");
    ASSERT_TRUE(toc.has_value()) << minor;
    ASSERT_EQ(toc->entries.size(), 2u);
    EXPECT_EQ(toc->entries[0].id, 215);
    EXPECT_EQ(toc->entries[0].kind, "TABLE");
    EXPECT_EQ(toc->entries[0].schema, "My Schema");
    EXPECT_EQ(toc->entries[0].tag, "a b\nc");
    EXPECT_EQ(toc->entries[0].depends_on, (std::vector<int64_t>{6, 7}));
    EXPECT_EQ(toc->entries[1].schema, "");
  }
}

TEST(ArchiveToc, AsksForMoreWhereverItIsCut) {
  const std::string head = TwoEntries(14);
  for (size_t size = 0; size < head.size(); ++size)
    EXPECT_FALSE(ParseArchiveToc(std::string_view(head).substr(0, size)).has_value()) << size;
}

TEST(ArchiveToc, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(ErrorOf([] { ParseArchiveToc("this is not an archive"); }).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(ErrorOf([] { ParseArchiveToc(TwoEntries(17)); }).kind(), ErrorKind::kInvalid);
  std::string tar = TwoEntries(14);
  tar[10] = 3;
  EXPECT_EQ(ErrorOf([&] { ParseArchiveToc(tar); }).kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace pgbackup
