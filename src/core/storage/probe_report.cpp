#include "core/storage/probe_report.h"

#include "core/base/error.h"

namespace pgbackup {

const char* ProbeStatusName(ProbeStatus status) noexcept {
  switch (status) {
    case ProbeStatus::kOk:
      return "ok";
    case ProbeStatus::kWarning:
      return "warning";
    case ProbeStatus::kError:
      return "error";
    case ProbeStatus::kSkipped:
      break;
  }
  return "skipped";
}

void ProbeReport::Add(const std::string& item, ProbeFinding finding) {
  rows_.push_back({item, finding.status, std::move(finding.detail), std::move(finding.hint)});
}

void ProbeReport::Skip(const std::string& item, const std::string& why) {
  rows_.push_back({item, ProbeStatus::kSkipped, why, {}});
}

bool ProbeReport::Try(const std::string& item, const std::function<ProbeFinding()>& step) {
  try {
    Add(item, step());
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    const std::string more = error.detail().empty() ? "" : ". " + error.detail();
    Add(item, {ProbeStatus::kError, error.message() + more,
               error.hint().empty() ? DefaultHint(error.kind()) : error.hint()});
  }
  return rows_.back().status != ProbeStatus::kError;
}

bool ProbeReport::TryAfter(bool worked, const std::string& item,
                           const std::function<ProbeFinding()>& step) {
  if (worked) return Try(item, step);
  Skip(item, "not tried, because something it needs did not work");
  return false;
}

}  // namespace pgbackup
