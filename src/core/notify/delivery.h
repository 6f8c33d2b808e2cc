// What an agent reports of the notices it was given: the last event of the jobs `webhook` and
// `mail`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

// Where notices are sent to, and what became of those for it: each in its order, up to the first
// that fails.
struct TargetReport {
  std::string target;                 // the mark that stands for it
  std::string name;                   // for people; holds no secret
  std::vector<int64_t> told = {};     // have arrived
  std::vector<int64_t> refused = {};  // will be refused however often they are sent
  std::string refusal = {};           // why the last of these was
  std::string failure = {};           // why those after it wait; empty: they do not
};

struct DroppedNotice {
  int64_t id = 0;
  std::string message;  // why it cannot be written
};

struct DeliveryReport {
  std::vector<TargetReport> targets;  // all there are
  std::vector<DroppedNotice> dropped = {};
  std::string failure = {};             // of all targets
  std::optional<int64_t> refused = {};  // with `failure`: the notice that was refused for good
};

// Whether a notice is for a target.
bool IsFor(const RunNotice& notice, const std::string& target);

// The outcome of a job that has ended so.
RunOutcome OutcomeOf(const DeliveryReport& report);

}  // namespace pgbackup
