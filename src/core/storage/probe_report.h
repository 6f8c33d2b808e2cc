// What a check has found out: one row for each thing tried.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/environment.h"

namespace pgbackup {

enum class ProbeStatus {
  kOk,
  kWarning,  // works, but not as well as it should
  kError,    // does not work
  kSkipped,  // was not tried, because something it needs did not work
};
const char* ProbeStatusName(ProbeStatus status) noexcept;

struct ProbeRow {
  std::string item;
  ProbeStatus status = ProbeStatus::kOk;
  std::string detail;
  std::string hint;  // what to do; empty when nothing
};

// How a step that was carried out went. A text is the detail of an "ok".
struct ProbeFinding {
  ProbeFinding(std::string text) : detail(std::move(text)) {}  // NOLINT: meant to be implicit
  ProbeFinding(ProbeStatus how, std::string text, std::string what_to_do)
      : status(how), detail(std::move(text)), hint(std::move(what_to_do)) {}

  ProbeStatus status = ProbeStatus::kOk;
  std::string detail;
  std::string hint;
};

// What a storage is asked to try.
struct ProbeRequest {
  std::string folder;         // a name that nothing else has; all that is written goes below it
  Environment& environment;   // outlives the probe
  uint64_t needed_bytes = 0;  // what the next backups may take; 0: unknown
};

class ProbeReport {
 public:
  void Add(const std::string& item, ProbeFinding finding);
  void Skip(const std::string& item, const std::string& why);

  // Carries out a step and adds its row; an Error it throws becomes a row with the error's words,
  // but for kCancelled, which passes through. False when the row is an error.
  bool Try(const std::string& item, const std::function<ProbeFinding()>& step);

  // The same when what the step needs has worked; else adds a row that says it was skipped, and
  // returns false.
  bool TryAfter(bool worked, const std::string& item, const std::function<ProbeFinding()>& step);

  const std::vector<ProbeRow>& rows() const noexcept { return rows_; }

 private:
  std::vector<ProbeRow> rows_;
};

}  // namespace pgbackup
