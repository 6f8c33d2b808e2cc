// What is special about a directory; what every backend does is in storage_conformance_test.cpp.
#include "core/storage/file_storage.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "core/storage/file_writer.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

namespace fs = std::filesystem;

class FileStorageTest : public ::testing::Test {
 protected:
  std::string root() const { return directory_.path() + "/root"; }
  mode_t ModeOf(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Environment> environment_ = SystemEnvironment();
  Cancellation cancellation_;
  FileStorage storage_{root(), *environment_, cancellation_};
};

TEST_F(FileStorageTest, NobodyElseCanReadWhatItWrites) {
  const mode_t before = umask(0);
  WriteObject(storage_, "a/b/x", "content");
  umask(before);
  EXPECT_EQ(ModeOf(root()), 0700u);
  EXPECT_EQ(ModeOf(root() + "/a"), 0700u);
  EXPECT_EQ(ModeOf(root() + "/a/b"), 0700u);
  EXPECT_EQ(ModeOf(root() + "/a/b/x"), 0600u);
}

TEST_F(FileStorageTest, CreatesTheLastDirectoryOfItsRootOnly) {
  FileStorage storage(directory_.path() + "/missing/root", *environment_, cancellation_);
  const Error error = ErrorOf([&] { storage.Put("x", {}); });
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_NE(error.hint().find(directory_.path() + "/missing"), std::string::npos) << error.hint();
  EXPECT_FALSE(fs::exists(directory_.path() + "/missing"));
}

TEST_F(FileStorageTest, LooksOnlyAndMakesNothingWhenItReads) {
  EXPECT_FALSE(storage_.Head("x"));
  EXPECT_TRUE(ListNames(storage_, "").empty());
  storage_.Delete("x");
  EXPECT_FALSE(fs::exists(root()));
}

TEST_F(FileStorageTest, FollowsNoSymbolicLinkBelowItsRoot) {
  WriteObject(storage_, "a/x", "inside");
  fs::create_directory(directory_.path() + "/outside");
  std::ofstream(directory_.path() + "/outside/secret") << "secret";
  fs::create_symlink(directory_.path() + "/outside", root() + "/link");
  fs::create_symlink(directory_.path() + "/outside/secret", root() + "/a/file");
  EXPECT_EQ(ErrorOf([&] { ReadObjectText(storage_, "a/file"); }).kind(), ErrorKind::kInvalid);
  EXPECT_ANY_THROW(ReadObjectText(storage_, "link/secret"));
  EXPECT_ANY_THROW(WriteObject(storage_, "link/new", "x"));
  EXPECT_EQ(ListNames(storage_, ""), (std::vector<std::string>{"a/x"}));
  RemoveEverything(storage_, "a/");
  EXPECT_ANY_THROW(RemoveEverything(storage_, "link/"));
  EXPECT_TRUE(fs::exists(directory_.path() + "/outside/secret"));
  EXPECT_FALSE(fs::exists(directory_.path() + "/outside/new"));
}

TEST_F(FileStorageTest, TheRootItselfMayBeASymbolicLink) {
  fs::create_directory(directory_.path() + "/elsewhere");
  fs::create_symlink(directory_.path() + "/elsewhere", root());
  WriteObject(storage_, "x", "content");
  EXPECT_TRUE(fs::exists(directory_.path() + "/elsewhere/x"));
}

TEST_F(FileStorageTest, OverwritingALinkReplacesTheLink) {
  WriteObject(storage_, "y", "old");
  std::ofstream(directory_.path() + "/outside") << "outside";
  fs::create_symlink(directory_.path() + "/outside", root() + "/x");
  WriteObject(storage_, "x", "new");
  EXPECT_FALSE(fs::is_symlink(root() + "/x"));
  std::string outside;
  std::ifstream(directory_.path() + "/outside") >> outside;
  EXPECT_EQ(outside, "outside");
}

TEST_F(FileStorageTest, RemovesFoldersThatAreEmptyThen) {
  WriteObject(storage_, "a/b/c/x", "x");
  WriteObject(storage_, "a/y", "y");
  storage_.Delete("a/b/c/x");
  EXPECT_FALSE(fs::exists(root() + "/a/b"));
  EXPECT_TRUE(fs::exists(root() + "/a"));
  storage_.Delete("a/y");
  EXPECT_FALSE(fs::exists(root() + "/a"));
  EXPECT_TRUE(fs::exists(root()));
}

TEST_F(FileStorageTest, AWriterThatDiedLeavesATemporaryFileThatIsFound) {
  WriteObject(storage_, "a/x", "x");
  std::ofstream(root() + "/a/.pgbackup-0123456789abcdef.tmp") << "half";
  EXPECT_EQ(ListNames(storage_, ""), (std::vector<std::string>{"a/x"}));
  const Removed removed = RemoveEverything(storage_, "a/");
  EXPECT_EQ(removed.objects, 1u);
  EXPECT_EQ(removed.unfinished_uploads, 1u);
}

TEST_F(FileStorageTest, TemporaryNamesAreNotObjects) {
  EXPECT_TRUE(IsTemporaryName(".pgbackup-0.tmp"));
  EXPECT_FALSE(IsTemporaryName(".pgbackup-.tmp"));
  EXPECT_FALSE(IsTemporaryName("x.tmp"));
  EXPECT_EQ(ErrorOf([&] { storage_.Put("a/.pgbackup-0.tmp", {}); }).kind(), ErrorKind::kInvalid);
}

TEST_F(FileStorageTest, TakesTheLongestNameTheFileSystemHas) {
  const std::string name(255, 'x');
  WriteObject(storage_, name, "content");
  EXPECT_EQ(ReadObjectText(storage_, name), "content");
  EXPECT_EQ(ErrorOf([&] { WriteObject(storage_, name + "x", "content"); }).kind(),
            ErrorKind::kInvalid);
}

TEST_F(FileStorageTest, ADirectoryInTheWayIsAnErrorAndLeavesNothing) {
  WriteObject(storage_, "a/b/x", "x");
  EXPECT_THROW(WriteObject(storage_, "a/b", "content"), Error);
  EXPECT_EQ(std::distance(fs::directory_iterator(root() + "/a"), {}), 1);
}

TEST_F(FileStorageTest, AFileInTheWayIsAnError) {
  WriteObject(storage_, "a", "x");
  const Error error = ErrorOf([&] { WriteObject(storage_, "a/b", "content"); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_NE(error.message().find("file://" + root() + "/a"), std::string::npos);
}

TEST_F(FileStorageTest, SaysWhenItMayNot) {
  if (geteuid() == 0) GTEST_SKIP() << "root may do anything";
  WriteObject(storage_, "a/x", "x");
  chmod((root() + "/a").c_str(), 0500);
  const Error error = ErrorOf([&] { WriteObject(storage_, "a/y", "y"); });
  EXPECT_EQ(error.kind(), ErrorKind::kDenied);
  EXPECT_FALSE(error.hint().empty());
  chmod((root() + "/a").c_str(), 0700);
}

TEST_F(FileStorageTest, SaysWhenTheDiskIsFull) {
  // A file system that is always full, if the machine has it.
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) GTEST_SKIP() << "no /dev/full";
  FileTarget target;
  target.folder = UniqueFd(open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  target.temporary = ".pgbackup-0.tmp";
  target.leaf = "x";
  target.url = "file:///backups/x";
  FileWriter writer(std::move(target), UniqueFd(full), cancellation_);
  const Error error = ErrorOf([&] { writer.Write(AsBytes(SomeBytes(1'000'000))); });
  EXPECT_EQ(error.kind(), ErrorKind::kNoSpace);
  EXPECT_EQ(error.message(), "could not write file:///backups/x: No space left on device");
  EXPECT_FALSE(error.hint().empty());
}

TEST_F(FileStorageTest, ACancelStopsAWriter) {
  const auto sink = storage_.Put("a/x", {});
  sink->Write(AsBytes("half"));
  cancellation_.Cancel();
  EXPECT_EQ(ErrorOf([&] { sink->Finish(); }).kind(), ErrorKind::kCancelled);
  sink->Abort();
  EXPECT_TRUE(fs::is_empty(root() + "/a"));
}

}  // namespace
}  // namespace pgbackup
