#include "core/process/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

#include <chrono>

#include "core/base/sha256.h"
#include "core/pipeline/buffer_sink.h"
#include "core/pipeline/fd_sink.h"
#include "core/pipeline/pump.h"
#include "core/process/line_tail.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

ChildSpec Shell(const std::string& script) {
  ChildSpec spec;
  spec.program = "/bin/sh";
  spec.arguments = {"-c", script};
  spec.environment = {"PATH=/usr/bin:/bin"};
  spec.pipe_output = true;
  return spec;
}

std::string OutputOf(const ChildSpec& spec) {
  const Cancellation never;
  ChildProcess child(spec);
  BufferSink output(1 << 20, "output");
  Pump(child.output(), output, never);
  const ExitStatus status = child.Wait(never);
  EXPECT_TRUE(status.Succeeded()) << status.InWords() << ": " << child.ErrorTail();
  return output.text();
}

TEST(ChildProcess, PassesArgumentsAsTheyAreWithoutAShell) {
  ChildSpec spec;
  spec.program = "/usr/bin/printf";
  spec.arguments = {"%s|", "a b", "$(id)", "'\"\\", "-x\nnew line", ""};
  spec.pipe_output = true;
  EXPECT_EQ(OutputOf(spec), "a b|$(id)|'\"\\|-x\nnew line||");
}

TEST(ChildProcess, GetsExactlyTheGivenEnvironment) {
  ChildSpec spec;
  spec.program = "/usr/bin/env";
  spec.environment = {"ONE=1", "TWO=zwei"};
  spec.pipe_output = true;
  EXPECT_EQ(OutputOf(spec), "ONE=1\nTWO=zwei\n");
}

TEST(ChildProcess, InheritsNoDescriptorButTheAskedOnes) {
  const UniqueFd leak(open("/dev/null", O_RDONLY));  // without O_CLOEXEC, as a server may leave it
  EXPECT_EQ(OutputOf(Shell("ls /proc/$$/fd")), "0\n1\n2\n");
}

TEST(ChildProcess, HandsAFileInMemoryOverAsDescriptorThree) {
  const UniqueFd file(memfd_create("test", MFD_CLOEXEC));
  ASSERT_EQ(write(file.get(), "content", 7), 7);
  ChildSpec spec = Shell("cat /proc/self/fd/3; ls /proc/$$/fd");
  spec.inherited = {file.get()};
  EXPECT_EQ(OutputOf(spec), "content0\n1\n2\n3\n");
}

TEST(ChildProcess, HasNoSignalIgnoredOrBlocked) {
  signal(SIGPIPE, SIG_IGN);
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  ChildSpec spec;
  spec.program = "/bin/grep";
  spec.arguments = {"-E", "^Sig(Blk|Ign):", "/proc/self/status"};
  spec.pipe_output = true;
  EXPECT_EQ(OutputOf(spec), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(ChildProcess, ReadsWhatIsWrittenToItsInput) {
  const Cancellation never;
  ChildSpec spec = Shell("cat");
  spec.pipe_input = true;
  ChildProcess child(spec);
  FdSink input(child.TakeInput(), never, [] {});
  input.Write(AsBytes("hello"));
  input.Finish();
  BufferSink output(100, "output");
  Pump(child.output(), output, never);
  EXPECT_TRUE(child.Wait(never).Succeeded());
  EXPECT_EQ(output.text(), "hello");
}

TEST(ChildProcess, SaysInWordsHowItEnded) {
  const Cancellation never;
  EXPECT_EQ(ChildProcess(Shell("exit 7")).Wait(never).InWords(), "exited with status 7");
  EXPECT_EQ(ChildProcess(Shell("kill -9 $$")).Wait(never).InWords(),
            "was killed by signal 9 (Killed)");
  EXPECT_FALSE(ChildProcess(Shell("exit 7")).Wait(never).Succeeded());
}

TEST(ChildProcess, KeepsTheLastLinesOfStandardErrorEvenOfMuchText) {
  const Cancellation never;
  ChildProcess child(Shell("i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done"));
  EXPECT_TRUE(child.Wait(never).Succeeded());
  const std::string tail = child.ErrorTail();
  const std::string first = "line " + std::to_string(20000 - LineTail::kMaxLines) + "\n";
  EXPECT_EQ(tail.find(first), 0u) << tail;
  EXPECT_NE(tail.find("line 19999"), std::string::npos);
}

TEST(ChildProcess, AGrandchildThatKeepsStandardErrorOpenDelaysNothing) {
  const Cancellation never;
  const auto start = std::chrono::steady_clock::now();
  {
    ChildProcess child(Shell("echo last words >&2; sleep 5 & exit 1"));
    EXPECT_FALSE(child.Wait(never).Succeeded());
    EXPECT_EQ(child.ErrorTail(), "last words");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

TEST(ChildProcess, AMissingProgramNamesItselfAndTheSetting) {
  ChildSpec spec;
  spec.program = "/nowhere/pg_dump";
  const Error error = ErrorOf([&] { ChildProcess child(spec); });
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_NE(error.message().find("/nowhere/pg_dump"), std::string::npos);
  EXPECT_NE(error.hint().find("pgbackup.bin_directory"), std::string::npos);
}

TEST(ChildProcess, AProgramThatMayNotBeRunIsAnError) {
  ChildSpec spec;
  spec.program = "/etc/passwd";
  EXPECT_THROW(ChildProcess child(spec), Error);
}

TEST(ChildProcess, WaitingEndsWithTheRun) {
  Cancellation cancellation;
  ChildProcess child(Shell("exec sleep 60"));
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancellation.Cancel();
  });
  EXPECT_EQ(ErrorOf([&] { child.Wait(cancellation); }).kind(), ErrorKind::kCancelled);
  canceller.join();
}

TEST(ChildProcess, DestructionEndsAChildThatDoesNotHeedSigterm) {
  pid_t pid = 0;
  const auto start = std::chrono::steady_clock::now();
  {
    ChildProcess child(Shell("trap '' TERM; echo ready; while :; do sleep 1; done"));
    char ready = 0;
    ASSERT_EQ(read(child.output(), &ready, 1), 1);
    pid = child.pid();
  }
  EXPECT_NE(kill(pid, 0), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace pgbackup
