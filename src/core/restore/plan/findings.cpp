#include "core/restore/plan/findings.h"

#include <fmt/format.h>

namespace pgbackup {
namespace {

void AddLine(std::string* text, const std::string& line) {
  if (line.empty()) return;
  if (!text->empty()) *text += "\n";
  *text += line;
}

}  // namespace

void Findings::Try(const std::function<void()>& check) {
  try {
    check();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled || error.kind() == ErrorKind::kUnavailable ||
        error.kind() == ErrorKind::kInternal)
      throw;
    Add(error);
  }
}

void Findings::ThrowIfAny(const std::string& subject) const {
  if (findings_.empty()) return;
  if (findings_.size() == 1) throw findings_.front();
  std::string message, detail, hint;
  for (const Error& finding : findings_) {
    message += (message.empty() ? "" : "; ") + finding.message();
    AddLine(&detail, finding.detail());
    AddLine(&hint, finding.hint());
  }
  throw Error(findings_.front().kind(), fmt::format("{}: {}", subject, message), detail, hint);
}

}  // namespace pgbackup
