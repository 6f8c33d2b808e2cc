#include "core/pipeline/verify_sink.h"

#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

const char* const kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(VerifySink, AcceptsExactlyTheStoredBytesAndLeavesTheNextSinkOpen) {
  SinkLog log;
  LoggingSink next(&log);
  VerifySink sink(next, "x", 3, kAbc);
  sink.Write(AsBytes("ab"));
  sink.Write(AsBytes("c"));
  sink.Finish();
  EXPECT_EQ(log.bytes, "abc");
  EXPECT_EQ(log.finished, 0);
}

TEST(VerifySink, RefusesAnotherByteAShorterAndALongerObject) {
  for (const char* bytes : {"abd", "ab", "abcd", ""}) {
    SinkLog log;
    LoggingSink next(&log);
    VerifySink sink(next, "folder/x", 3, kAbc);
    const Error error = ErrorOf([&] {
      sink.Write(AsBytes(bytes));
      sink.Finish();
    });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << bytes;
    EXPECT_NE(error.message().find("folder/x"), std::string::npos);
  }
}

TEST(VerifySink, NeverPassesOnMoreBytesThanWereStored) {
  SinkLog log;
  LoggingSink next(&log);
  VerifySink sink(next, "x", 3, kAbc);
  EXPECT_THROW(sink.Write(AsBytes("abcd")), Error);
  EXPECT_EQ(log.bytes, "");
}

}  // namespace
}  // namespace pgbackup
