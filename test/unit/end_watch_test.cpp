#include "agent/end_watch.h"

#include <fcntl.h>
#include <poll.h>

#include "agent/event_writer.h"
#include "core/base/unique_fd.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read.Reset(ends[0]);
    write.Reset(ends[1]);
  }
  UniqueFd read, write;
};

bool BecomesReadable(int fd, int timeout_ms) {
  pollfd waiting{fd, POLLIN, 0};
  return poll(&waiting, 1, timeout_ms) == 1;
}

TEST(EndWatch, EndOfFileCancelsTheJob) {
  Pipe input;
  Cancellation job;
  const EndWatch watch(input.read.get(), job, [] {});
  ASSERT_EQ(write(input.write.get(), "ignored", 7), 7);
  EXPECT_FALSE(BecomesReadable(job.fd(), 50));
  EXPECT_FALSE(watch.IsRequested());
  input.write.Reset();
  EXPECT_TRUE(BecomesReadable(job.fd(), 5000));
  EXPECT_TRUE(watch.IsRequested());
  EXPECT_EQ(watch.request().reason, "") << "what is no line is no reason";
}

TEST(EndWatch, ALineBeforeTheEndIsTheReason) {
  Pipe input;
  Cancellation job;
  const EndWatch watch(input.read.get(), job, [] {});
  for (const std::string text : {"took ", "too long\n", "and more\n"})
    ASSERT_EQ(write(input.write.get(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
  EXPECT_FALSE(BecomesReadable(job.fd(), 50));
  EXPECT_FALSE(watch.request().is_made);
  input.write.Reset();
  ASSERT_TRUE(BecomesReadable(job.fd(), 5000));
  EXPECT_TRUE(watch.request().is_made);
  EXPECT_EQ(watch.request().reason, "took too long");
}

TEST(EndWatch, KeepsOnlySoMuchOfWhatItHears) {
  Pipe input;
  Cancellation job;
  const EndWatch watch(input.read.get(), job, [] {});
  const std::string text(50'000, 'x');
  ASSERT_EQ(write(input.write.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ASSERT_EQ(write(input.write.get(), "\n", 1), 1);
  input.write.Reset();
  ASSERT_TRUE(BecomesReadable(job.fd(), 5000));
  EXPECT_EQ(watch.request().reason, "");
}

TEST(EndWatch, AJobThatDoesNotEndIsOverdue) {
  Pipe input;
  Cancellation job, overdue;
  const EndWatch watch(
      input.read.get(), job, [&] { overdue.Cancel(); }, std::chrono::milliseconds(50));
  input.write.Reset();
  EXPECT_TRUE(BecomesReadable(overdue.fd(), 5000));
}

TEST(EndWatch, AJobThatEndsInTimeIsNot) {
  Pipe input;
  Cancellation job;
  bool overdue = false;
  {
    const EndWatch watch(
        input.read.get(), job, [&] { overdue = true; }, std::chrono::milliseconds(200));
    input.write.Reset();
    EXPECT_TRUE(BecomesReadable(job.fd(), 5000));
  }
  EXPECT_FALSE(overdue);
}

TEST(EventWriter, WritesChangesOnceAndOnlyOneLastEvent) {
  Pipe output;
  Progress progress;
  {
    EventWriter events(output.write.get(), progress);
    ASSERT_TRUE(BecomesReadable(output.read.get(), 5000));
    events.Finish("{\"event\":\"cancelled\"}");
    events.Finish("{\"event\":\"completed\"}");
  }
  output.write.Reset();
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(output.read.get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<size_t>(got));
  EXPECT_EQ(text,
            "{\"event\":\"progress\",\"phase\":\"preparing\",\"raw_bytes\":0,\"stored_bytes\":0,"
            "\"total_bytes\":0}\n{\"event\":\"cancelled\"}\n");
}

}  // namespace
}  // namespace pgbackup
