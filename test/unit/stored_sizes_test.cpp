#include "core/restore/plan/stored_sizes.h"

#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

Manifest SizedManifest() {
  Manifest manifest;
  manifest.objects.resize(2);
  manifest.objects[0].segments = {{"a.dump", 3, "aa"}, {"a.dump.part2", 2, "bb"}};
  manifest.objects[1].segments = {{"b.dump", 4, "cc"}};
  return manifest;
}

TEST(StoredSizes, WhatIsThereIsNoFinding) {
  MemoryStorage storage;
  storage.objects = {{"f/a.dump", "123"}, {"f/a.dump.part2", "45"}};
  Findings findings;
  EXPECT_TRUE(CheckStoredSizes(storage, "f", SizedManifest(), {0}, &findings));
  EXPECT_TRUE(findings.IsEmpty());
}

TEST(StoredSizes, NamesEveryPieceThatIsMissingOrOfAnotherSize) {
  MemoryStorage storage;
  storage.objects = {{"f/a.dump", "123"}, {"f/a.dump.part2", "456"}};
  Findings findings;
  EXPECT_FALSE(CheckStoredSizes(storage, "f", SizedManifest(), {0, 1}, &findings));
  const Error error = ErrorOf([&] { findings.ThrowIfAny("x"); });
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(error.message(),
            "2 objects of the backup are missing or damaged; object \"f/a.dump.part2\" is damaged");
  EXPECT_EQ(error.detail(),
            "object \"f/a.dump.part2\" is damaged. It has 3 bytes, 2 were stored.\n"
            "object \"f/b.dump\" of the backup is missing.");
}

TEST(StoredSizes, ASinglePieceIsNamedInTheMessage) {
  MemoryStorage storage;
  storage.objects = {{"f/b.dump", "123"}};
  Findings findings;
  EXPECT_FALSE(CheckStoredSizes(storage, "f", SizedManifest(), {1}, &findings));
  const Error error = ErrorOf([&] { findings.ThrowIfAny("x"); });
  EXPECT_EQ(error.message(), "object \"f/b.dump\" is damaged");
  EXPECT_EQ(error.detail(), "It has 3 bytes, 4 were stored.");
}

}  // namespace
}  // namespace pgbackup
