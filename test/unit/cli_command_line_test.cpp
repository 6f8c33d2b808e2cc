#include "cli/command_line.h"

#include <CLI/Option.hpp>
#include <fstream>
#include <regex>
#include <set>

#include "cli/backup_json.h"
#include "cli/console.h"
#include "cli/exit_status.h"
#include "cli/progress_display.h"
#include "cli/table.h"
#include "core/job/run_context.h"
#include "error_test_support.h"

namespace pgbackup {
namespace {

std::set<std::string> OptionsOf(const CLI::App& app) {
  std::set<std::string> options;
  for (const CLI::Option* option : app.get_options({})) {
    for (const std::string& name : option->get_lnames()) options.insert("-" + name);
    for (const std::string& name : option->get_snames()) options.insert(name);
  }
  for (const CLI::App* command : app.get_subcommands({})) options.merge(OptionsOf(*command));
  return options;
}

std::string ManualPage() {
  std::ifstream file(std::string(SOURCE_DIR) + "/docs/pgbackup.1");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// In mdoc, "Fl -storage" is the option --storage.
std::set<std::string> OptionsOfTheManual() {
  std::set<std::string> options;
  const std::string page = ManualPage();
  const std::regex flag("Fl (-?[A-Za-z][-A-Za-z0-9]*)");
  for (std::sregex_iterator found(page.begin(), page.end(), flag), end; found != end; ++found)
    options.insert((*found)[1]);
  return options;
}

TEST(CommandLine, TheManualHasEveryOptionAndNoOther) {
  EXPECT_EQ(OptionsOfTheManual(), OptionsOf(CommandLine().app()));
}

TEST(CommandLine, TheManualHasEveryCommand) {
  const std::string page = ManualPage();
  const CommandLine line;
  for (const CLI::App* command : line.app().get_subcommands({}))
    EXPECT_NE(page.find(".It Cm " + command->get_name() + "\n"), std::string::npos)
        << command->get_name();
}

int ExitStatusFor(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "pgbackup");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  const int status = CommandLine().Run(static_cast<int>(argv.size()), argv.data());
  testing::internal::GetCapturedStderr();
  testing::internal::GetCapturedStdout();
  return status;
}

TEST(CommandLine, WrongArgumentsAreRefused) {
  const std::string storage = "--storage=file:///nowhere";
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"dance"},
           {"list"},
           {"list", "--storage=ftp://x"},
           {"list", "--storage=s3://key:secret@bucket"},
           {"list", storage, "--s3-endpoint=host"},
           {"list", storage, "--limit=-1"},
           {"show", storage},
           {"fetch", "7", storage},
           {"restore", "7", storage},
           {"restore", "7", storage, "--target-database=postgres"},
           {"restore", "7", storage, "--target-database=x", "--jobs=0"},
           {"restore", "7", storage, "--target-database=x", "--schema=a", "--table=a.b"},
           {"restore", "7", storage, "--target-database=x", "-d", "password=x"},
           {"verify", "7", storage, "--level=hope"},
           {"backup", storage, "-d", "db", "--compression=zip"},
           {"backup", storage, "-d", "db", "--name-template=/x"},
           {"backup", storage, "-d", "db", "--label=a\nb"},
           {"backup", storage, "-d", "db", "--s3-part-size=1MB"}})
    EXPECT_EQ(ExitStatusFor(arguments), kExitUsage) << (arguments.empty() ? "" : arguments.back());
}

TEST(CommandLine, HelpIsNoError) {
  EXPECT_EQ(ExitStatusFor({"--help"}), kExitDone);
  EXPECT_EQ(ExitStatusFor({"restore", "--help"}), kExitDone);
  EXPECT_EQ(ExitStatusFor({"--version"}), kExitDone);
}

TEST(Console, TheExitStatusTellsWhatKindOfTrouble) {
  RunOutcome outcome;
  EXPECT_EQ(ExitStatusOf(outcome), kExitDone);
  outcome.state = RunState::kCancelled;
  EXPECT_EQ(ExitStatusOf(outcome), kExitInterrupted);
  outcome.state = RunState::kFailed;
  for (const auto& [kind, status] : {std::pair{ErrorKind::kNotFound, kExitNotFound},
                                     {ErrorKind::kCorrupt, kExitDamaged},
                                     {ErrorKind::kUnavailable, kExitFailed},
                                     {ErrorKind::kInternal, kExitFailed}}) {
    outcome.error = Error(kind, "x");
    EXPECT_EQ(ExitStatusOf(outcome), status);
  }
}

TEST(Console, SettingsAreCalledAsTheOptionsThatStandForThem) {
  CommandLine line;
  const CLI::App& backup = *line.app().get_subcommand("backup");
  EXPECT_EQ(InWordsOf(backup, "Set pgbackup.bin_directory, or raise pgbackup.s3_part_size."),
            "Set --bin-directory, or raise --s3-part-size.");
  EXPECT_EQ(InWordsOf(backup, "see pgbackup.dump_conninfo"), "see --dbname");
  EXPECT_EQ(InWordsOf(backup, "pgbackup.cleanup() will; pgbackup."),
            "pgbackup.cleanup() will; pgbackup.");
}

TEST(Console, FlagsOfFunctionsAreCalledAsOptionsToo) {
  CommandLine line;
  const CLI::App& restore = *line.app().get_subcommand("restore");
  EXPECT_EQ(InWordsOf(restore, "Say create_roles => true. Or replace => true."),
            "Say --create-roles. Or replace => true.");
  EXPECT_EQ(InWordsOf(restore, "With on_error => 'continue', not label => 'x' => or on_error => '"),
            "With --on-error continue, not label => 'x' => or on_error => '");
}

TEST(Table, IsPaddedOnATerminalAndTabbedElsewhere) {
  const Table table{{"ID", "NAME"}, {{"1", "a\tb\nc"}, {"100", "\xc3\xa4"}}};
  EXPECT_EQ(TableText(table, true), "ID   NAME\n1    a b c\n100  \xc3\xa4\n");
  EXPECT_EQ(TableText(table, false), "1\ta b c\n100\t\xc3\xa4\n");
}

TEST(ProgressLine, ShowsABarWhenItIsKnownHowMuchThereIs) {
  Progress progress;
  progress.SetPhase("dumping");
  EXPECT_EQ(ProgressLine(progress, 5, 80), "dumping");
  progress.raw_bytes = 512ull << 20;
  EXPECT_EQ(ProgressLine(progress, 4, 80), "dumping  512 MB, 128 MB/s");
  progress.total_bytes = 1ull << 30;
  EXPECT_EQ(ProgressLine(progress, 4, 200),
            "dumping  [###############...............]  50 %  512 MB of 1.0 GB, 128 MB/s");
  EXPECT_EQ(ProgressLine(progress, 4, 20).size(), 19u);
  progress.tables.Plan({{"s", "a"}, {"s", "b"}});
  progress.tables.End({"s", "a"});
  EXPECT_EQ(ProgressLine(progress, 4, 200),
            "dumping  [###############...............]  50 %  512 MB of 1.0 GB, 128 MB/s, "
            "1 of 2 tables");
}

TEST(Sizes, AreWrittenShort) {
  EXPECT_EQ(SizeInWords(0), "0 B");
  EXPECT_EQ(SizeInWords(1023), "1023 B");
  EXPECT_EQ(SizeInWords(1536), "1.5 kB");
  EXPECT_EQ(SizeInWords(20ull << 30), "20 GB");
  EXPECT_EQ(SizeInWords(999ull << 40), "999 TB");
}

TEST(Times, AreCutToTheSecond) {
  EXPECT_EQ(ShortTime("2025-03-30T01:02:03.456789Z"), "2025-03-30 01:02:03Z");
  EXPECT_EQ(ShortTime(""), "");
}

}  // namespace
}  // namespace pgbackup
