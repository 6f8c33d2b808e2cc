// The age command reads what we write, and we read what it writes.
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "age_test_support.h"

namespace pgbackup {
namespace {

class AgeTool : public testing::Test {
 protected:
  void SetUp() override {
    if (system("command -v age >/dev/null") != 0) GTEST_SKIP() << "age is not here";
    Store("identity", keys_.made.file);
  }

  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  void Store(const std::string& name, const std::string& bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
  }
  std::string Load(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(Path(name), std::ios::binary).rdbuf();
    return text.str();
  }
  int Age(const std::string& arguments) const {
    return system(("cd " + folder_.path() + " && age " + arguments).c_str());
  }

  TestKeys keys_;
  TemporaryDirectory folder_;
};

TEST_F(AgeTool, ReadsOursAndWeRead) {
  for (const size_t size : {0, 1, 65535, 65536, 65537, 5'000'000}) {
    const std::string text = SomeBytes(size);
    Store("ours.age", EncryptWith(keys_.encryption, text));
    ASSERT_EQ(Age("-d -i identity -o opened ours.age"), 0) << size;
    EXPECT_TRUE(SameBytes(Load("opened"), text)) << size;
    Store("text", text);
    ASSERT_EQ(Age("-r " + keys_.made.recipient + " -o theirs.age text"), 0) << size;
    EXPECT_TRUE(SameBytes(DecryptWith(keys_.decryption, Load("theirs.age")), text)) << size;
  }
}

TEST_F(AgeTool, MakesIdentitiesThatWeRead) {
  ASSERT_EQ(system(("age-keygen -o " + Path("key") + " 2>/dev/null").c_str()), 0);
  chmod(Path("key").c_str(), 0600);
  const auto keys = ReadIdentityFile(Path("key"));
  ASSERT_EQ(keys.size(), 1u);
  const std::string recipient(KeyToBech32(X25519Public(keys[0]), kRecipientPrefix).view());
  EXPECT_NE(Load("key").find("# public key: " + recipient), std::string::npos);
}

}  // namespace
}  // namespace pgbackup
