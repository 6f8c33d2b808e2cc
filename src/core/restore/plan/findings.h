// What stands in the way of a restore: collected first, told in one error.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace pgbackup {

class Findings {
 public:
  // The message of a finding says what is wrong in a few words; all messages are put together when
  // there are several. Its detail is told beside it, its hint says what to do.
  void Add(Error finding) { findings_.push_back(std::move(finding)); }

  void Add(const Findings& others) {
    findings_.insert(findings_.end(), others.findings_.begin(), others.findings_.end());
  }

  // Runs a check; what it throws is a finding. Errors that tell nothing about the backup or the
  // server (cancelled, unreachable, a defect) pass through.
  void Try(const std::function<void()>& check);

  bool IsEmpty() const noexcept { return findings_.empty(); }

  // A single finding is thrown as it is. Of several, of the kind of the first, the message begins
  // with `subject`, such as "backup 5 cannot be restored"; detail and hint have a line for each.
  void ThrowIfAny(const std::string& subject) const;

 private:
  std::vector<Error> findings_;
};

}  // namespace pgbackup
