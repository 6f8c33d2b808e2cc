#include "core/restore/load/pg_restore_log.h"

#include <utility>

#include "core/base/utf8.h"
#include "core/postgres/row_values.h"

namespace pgbackup {
namespace {

constexpr std::string_view kProgram = "pg_restore: ";
constexpr std::string_view kEntry = "from TOC entry ";
constexpr std::string_view kError = "error: ";
constexpr std::string_view kIgnored = "warning: errors ignored on restore: ";
constexpr std::string_view kCommand = "Command was: ";

// "CONSTRAINT t t_pkey" of "3345; 2606 16410 CONSTRAINT t t_pkey owner".
std::string_view EntryOf(std::string_view text) {
  for (int i = 0; i < 3; ++i) {  // its number and two OIDs
    const size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return text;
    text.remove_prefix(blank + 1);
  }
  constexpr std::string_view kNobody = " (no owner)";
  if (text.ends_with(kNobody)) return text.substr(0, text.size() - kNobody.size());
  return text.substr(0, text.rfind(' '));
}

// What the server said, without what pg_restore says of it.
std::string_view OfServer(std::string_view message) {
  constexpr std::string_view kServer = "ERROR:  ";
  const size_t at = message.find(kServer);
  return at == std::string_view::npos ? message : message.substr(at + kServer.size());
}

// Of an index that could not be built there are no statistics either. That the index is missing has
// been said.
bool IsConsequence(const RestoreError& error) {
  return error.entry.starts_with("STATISTICS DATA ") && error.message.starts_with("relation ") &&
         error.message.ends_with(" does not exist");
}

}  // namespace

void PgRestoreLog::Append(std::string_view text) {
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    const std::string_view piece = text.substr(0, newline);
    line_ += piece.substr(0, kMaxLineLength - line_.size());
    if (newline == std::string_view::npos) return;
    TakeLine(line_);
    line_.clear();
    text.remove_prefix(newline + 1);
  }
}

void PgRestoreLog::TakeLine(std::string_view line) {
  if (line.empty()) return;
  said_ignored_ = false;
  if (line.starts_with(kProgram)) {
    CloseError();
    line.remove_prefix(kProgram.size());
    if (line.starts_with(kEntry)) {
      entry_ = EntryOf(line.substr(kEntry.size()));
    } else if (line.starts_with(kError)) {
      is_open_ = true;
      error_ = line.substr(kError.size());
    } else {
      said_ignored_ = line.starts_with(kIgnored);
    }
    return;
  }
  if (line.starts_with(kCommand)) in_command_ = true;
  if (!is_open_ || in_command_ || detail_lines_ == kMostDetailLines) return;
  ++detail_lines_;
  error_ += '\n';
  error_ += line;
}

void PgRestoreLog::CloseError() {
  if (is_open_) {
    const std::string clean = ToValidUtf8(LinesWithoutRowValues(error_));
    const size_t newline = clean.find('\n');
    RestoreError error{ToValidUtf8(entry_),
                       std::string(OfServer(std::string_view(clean).substr(0, newline))),
                       newline == std::string::npos ? "" : clean.substr(newline + 1)};
    if (!IsConsequence(error)) each_(std::move(error));
  }
  is_open_ = in_command_ = false;
  detail_lines_ = 0;
  error_.clear();
}

bool PgRestoreLog::Finish() {
  if (!line_.empty()) TakeLine(line_);
  line_.clear();
  CloseError();
  return said_ignored_;
}

}  // namespace pgbackup
