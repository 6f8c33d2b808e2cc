#include "core/dump/archive_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr size_t kFirstAttempt = 64 << 10;

[[noreturn]] void ThrowMismatch(const std::string& object_name, const QualifiedName& table,
                                const char* what) {
  throw Error(
      ErrorKind::kInternal,
      fmt::format("object \"{}\" {} table {}", object_name, what, QuoteQualifiedName(table)),
      "The table of contents that pg_dump wrote is not the one that was planned, so the "
      "backup was not kept.",
      "Start the backup again. If this repeats, use format => 'custom' and report it.");
}

void RequireAll(const std::set<QualifiedName>& wanted, const std::set<QualifiedName>& found,
                const std::string& object_name, const char* what) {
  for (const QualifiedName& table : wanted)
    if (found.count(table) == 0) ThrowMismatch(object_name, table, what);
}

}  // namespace

void CheckArchive(const ArchiveToc& toc, const ExpectedContents& expected,
                  const std::string& object_name) {
  std::set<QualifiedName> tables, rows;
  for (const TocEntry& entry : toc.entries) {
    if (entry.kind == "TABLE") tables.insert({entry.schema, entry.tag});
    if (entry.kind == "TABLE DATA") rows.insert({entry.schema, entry.tag});
  }
  RequireAll(expected.tables, tables, object_name, "lacks the definition of");
  RequireAll(expected.rows, rows, object_name, "lacks the rows of");
  for (const QualifiedName& table : rows) {
    const bool other = expected.only_these_rows && expected.rows.count(table) == 0;
    if (other || expected.no_rows.count(table) != 0)
      ThrowMismatch(object_name, table, "holds rows that are not its own, of");
  }
}

TocTap::TocTap(Sink& next, std::string object_name)
    : next_(next), object_name_(std::move(object_name)), next_attempt_(kFirstAttempt) {}

void TocTap::Write(std::span<const std::byte> data) {
  if (!toc_) {
    head_.append(reinterpret_cast<const char*>(data.data()), data.size());
    // Each attempt reads from the start, so they are made at doubling sizes.
    if (head_.size() >= next_attempt_) Try();
  }
  next_.Write(data);
}

void TocTap::Finish() {
  if (!toc_) Try();
  if (!toc_)
    throw Error(ErrorKind::kInternal,
                fmt::format("object \"{}\" ends within its table of contents", object_name_));
}

void TocTap::Try() {
  toc_ = ParseArchiveToc(head_);
  next_attempt_ = head_.size() * 2;
  if (toc_) std::string().swap(head_);
}

}  // namespace pgbackup
