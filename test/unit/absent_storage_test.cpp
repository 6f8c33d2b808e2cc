#include "core/storage_backends/absent_storage.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/storage/file_storage.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

TEST(AbsentStorageTest, ADirectoryThatIsMissingIsNotAnEmptyStorage) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() + "/Here");
  const std::unique_ptr<Environment> environment = SystemEnvironment();
  Cancellation cancellation;
  const auto error_at = [&](const std::string& path) {
    FileStorage storage(directory.path() + path, *environment, cancellation);
    return ErrorOf([&] { CheckIsThere(storage); });
  };
  const Error error = error_at("/here");
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.message(), "directory \"" + directory.path() + "/here\" does not exist");
  EXPECT_EQ(error.detail(), directory.path() + " contains \"Here\".");
  EXPECT_EQ(error.hint(), "Perhaps you meant \"Here\"; names are case-sensitive.");
  EXPECT_EQ(error_at("/x/y/z").detail(), directory.path() + " contains \"Here\".");
  FileStorage empty(directory.path() + "/Here", *environment, cancellation);
  CheckIsThere(empty);
}

}  // namespace
}  // namespace pgbackup
