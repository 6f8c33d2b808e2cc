#include "core/manifest/marks.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/base/iso_time.h"
#include "error_test_support.h"
#include "storage_test_support.h"
#include "stored_backups_test_support.h"

namespace pgbackup {
namespace {

constexpr const char* kMarkedFolder = "main/shop/backup_7";
const std::string kMarkedChecksum(64, 'a');

Marks SomeMarks() {
  Marks marks;
  marks.file_name = kMarkedFolder;
  marks.checksum = kMarkedChecksum;
  marks.pinned = true;
  marks.verified_at = "2026-01-02T03:04:05.678901Z";
  marks.verified_level = "restore";
  marks.changed_at = "2026-01-02T03:04:06.000001Z";
  return marks;
}

class MarksTest : public testing::Test {
 protected:
  ManifestKeys Keys(char digit) {
    const std::string path = folder_.path() + "/key" + digit;
    const std::string text(64, digit);
    const int file = open(path.c_str(), O_WRONLY | O_CREAT, 0600);
    EXPECT_EQ(write(file, text.data(), text.size()), 64);
    close(file);
    return ManifestKeys(path);
  }
  FoundMarks Read(const std::string& text, const MarksRules& rules = {}) {
    storage_.objects[MarksObjectName(kMarkedFolder)] = text;
    return ReadMarks(storage_, kMarkedFolder, kMarkedChecksum, rules);
  }

  TemporaryDirectory folder_;
  MemoryStorage storage_;
};

TEST_F(MarksTest, AreReadAsTheyWereWritten) {
  EXPECT_FALSE(ReadMarks(storage_, kMarkedFolder, kMarkedChecksum, {}).marks);
  EXPECT_EQ(ReadMarks(storage_, kMarkedFolder, kMarkedChecksum, {}).ignored, "")
      << "there are none";
  const std::string text = MarksText(SomeMarks(), nullptr);
  EXPECT_TRUE(text.starts_with("{\"version\":1,\"file_name\":\"main/shop/backup_7\",")) << text;
  EXPECT_TRUE(text.ends_with("}\n"));
  const FoundMarks found = Read(text);
  ASSERT_TRUE(found.marks) << found.ignored;
  EXPECT_TRUE(found.marks->pinned);
  EXPECT_EQ(found.marks->verified_at, SomeMarks().verified_at);
  EXPECT_EQ(found.marks->verified_level, "restore");
  EXPECT_EQ(found.marks->changed_at, SomeMarks().changed_at);
  EXPECT_EQ(MarksText(*found.marks, nullptr), text);

  Marks nothing = SomeMarks();
  nothing.pinned = false;
  nothing.verified_at = nothing.verified_level = "";
  EXPECT_TRUE(nothing.SayNothing());
  EXPECT_TRUE(Read(MarksText(nothing, nullptr)).marks->SayNothing());
}

TEST_F(MarksTest, AreBelievedWithAMacAlone) {
  const ManifestKeys ours = Keys('1'), others = Keys('2');
  const std::string plain = MarksText(SomeMarks(), nullptr);
  const std::string text = MarksText(SomeMarks(), &ours);
  EXPECT_EQ(text, ours.Signed(plain)) << "as manifests are signed";
  EXPECT_TRUE(Read(text, {&ours}).marks);
  EXPECT_TRUE(Read(text).marks) << "without keys nothing is checked";
  EXPECT_EQ(Read(plain, {&ours}).ignored,
            "they have no MAC, and pgbackup.manifest_key_file is set");
  EXPECT_TRUE(Read(plain, {&ours, true}).marks);
  for (const bool allow_unsigned : {false, true}) {
    EXPECT_EQ(Read(MarksText(SomeMarks(), &others), {&ours, allow_unsigned}).ignored,
              "their MAC is wrong");
    std::string changed = text;
    changed.replace(changed.find("true"), 4, "null");
    EXPECT_EQ(Read(changed, {&ours, allow_unsigned}).ignored, "their MAC is wrong");
  }
}

TEST_F(MarksTest, OfAnotherBackupAreIgnored) {
  const ManifestKeys keys = Keys('1');
  Marks other = SomeMarks();
  other.checksum[0] = 'b';
  EXPECT_EQ(Read(MarksText(other, &keys), {&keys}).ignored, "they are those of another backup");
  other = SomeMarks();
  other.file_name = "main/shop/backup_8";
  EXPECT_EQ(Read(MarksText(other, &keys), {&keys}).ignored, "they are those of another backup");
  // The storage's prefix may have changed, as for manifests.
  other.file_name = "moved/main/shop/backup_7";
  EXPECT_TRUE(Read(MarksText(other, &keys), {&keys}).marks);
}

TEST_F(MarksTest, FromTheFutureAreIgnored) {
  MarksRules rules;
  rules.latest = ParseIsoTime("2026-01-02T03:04:07Z");
  EXPECT_TRUE(Read(MarksText(SomeMarks(), nullptr), rules).marks);
  rules.latest = ParseIsoTime("2026-01-02T03:04:05Z");
  EXPECT_EQ(Read(MarksText(SomeMarks(), nullptr), rules).ignored, "they are from the future");
}

TEST_F(MarksTest, WhatCannotBeMarksIsIgnored) {
  const std::string good = MarksText(SomeMarks(), nullptr);
  const auto with = [&](const std::string& what, const std::string& instead) {
    std::string text = good;
    return text.replace(text.find(what), what.size(), instead);
  };
  EXPECT_EQ(Read(with("\"version\":1", "\"version\":2")).ignored,
            "the marks have the unknown version 2");
  EXPECT_EQ(Read("").ignored, "the object is empty or longer than 64 KiB");
  EXPECT_EQ(Read(good + std::string(64 << 10, ' ')).ignored,
            "the object is empty or longer than 64 KiB");
  for (const std::string& text :
       {std::string("{"), std::string("[]"), std::string("\0\xff", 2), std::string(60000, '['),
        with("true", "1"), with("\"pinned\":true,", ""), with("restore", "hope"),
        with("2026-01-02T03:04:05.678901Z", "yesterday"),
        with("\"2026-01-02T03:04:05.678901Z\"", "null"), with("000001Z", "000001+01:00"),
        with("aaaa", "AAAA"), with("aaaa", ""), with("main/shop", "../shop")}) {
    const FoundMarks found = Read(text);
    EXPECT_FALSE(found.marks) << text;
    EXPECT_NE(found.ignored, "") << text;
  }
}

TEST_F(MarksTest, WhatWouldBeRefusedIsNotWritten) {
  Marks marks = SomeMarks();
  marks.verified_level = "hope";
  EXPECT_THROW(MarksText(marks, nullptr), Error);
  marks = SomeMarks();
  marks.changed_at = "";
  EXPECT_THROW(MarksText(marks, nullptr), Error);
}

}  // namespace
}  // namespace pgbackup
