// What a run is given by whoever runs it, and what it gives back.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/base/error.h"
#include "core/progress/progress.h"
#include "core/storage/storage.h"
#include "core/storage_backends/open_storage.h"
#include "shared/state.h"

namespace pgbackup {

// Whether and why somebody who is not the run itself asked for its end.
struct EndRequest {
  bool is_made = false;
  std::string reason = {};  // the run has failed, of this; empty: it is cancelled
};

struct RunContext {
  Environment& environment;
  // Ends the run. The run sets it itself when a part of it fails.
  Cancellation& cancellation;
  Progress& progress;
  // Opens the job's storage. Called again, with a fresh Cancellation, to clean up.
  std::function<std::unique_ptr<Storage>(const Cancellation&)> open_storage;
  // Writes one line for people; never a secret.
  std::function<void(const std::string&)> log;
  // Opens another storage that the job names: a copy's, or the one to copy from.
  std::function<std::unique_ptr<Storage>(const StorageSettings&, const Cancellation&)> open_at;
  // Announces that a backup is complete, with the fields of its "completed" event, while its copies
  // are still under way.
  std::function<void(const boost::json::object&)> announce_stored;
  // May be empty: nobody asks.
  std::function<EndRequest()> end_request = {};
};

struct RunOutcome {
  RunState state = RunState::kCompleted;  // or kFailed, kCancelled
  boost::json::object fields;             // of the last event, besides those of an error
  std::optional<Error> error;             // when failed
  bool cleaned = true;                    // when not completed: nothing of the run is left
  // What has to last until others know the outcome; no longer than the run's Cancellation.
  std::shared_ptr<void> held = nullptr;
};

// The outcome of a run that ended with the exception `failure`.
RunOutcome OutcomeOf(const std::exception_ptr& failure, bool cleaned);

// The outcome of a run whose end was perhaps asked for. What did not complete then was ended, even
// if it looks like a failure: a program that was told to end did not fail.
RunOutcome Ended(RunOutcome outcome, const EndRequest& request);

// How long cleaning up may take; the agent is given ten seconds in all.
inline constexpr std::chrono::milliseconds kCleanUpTime{8000};

}  // namespace pgbackup
