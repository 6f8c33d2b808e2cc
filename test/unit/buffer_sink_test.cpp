#include "core/pipeline/buffer_sink.h"

#include "core/base/sha256.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

TEST(BufferSink, KeepsUpToItsLimitAndRefusesOneByteMore) {
  BufferSink sink(4, "the thing");
  sink.Write(AsBytes("ab"));
  sink.Write(AsBytes("cd"));
  EXPECT_EQ(sink.text(), "abcd");
  const Error error = ErrorOf([&] { sink.Write(AsBytes("e")); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_EQ(error.message(), "the thing is larger than 4 bytes");
}

}  // namespace
}  // namespace pgbackup
