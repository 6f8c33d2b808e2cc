// What a run is given, for tests.
#pragma once

#include <gtest/gtest.h>

#include "core/job/run_context.h"

namespace pgbackup {

// Runs jobs on storages that `open` makes.
struct RunHarness {
  RunHarness(Environment& environment,
             std::function<std::unique_ptr<Storage>(const Cancellation&)> open)
      : context{environment,
                cancellation,
                progress,
                std::move(open),
                [this](const std::string& line) { log += line + "\n"; },
                {},
                {}} {}

  Cancellation cancellation;
  Progress progress;
  std::string log;
  RunContext context;
};

// An array of objects among the fields of a run that has to have completed.
inline boost::json::array FieldOf(const RunOutcome& outcome, const char* field) {
  EXPECT_EQ(outcome.state, RunState::kCompleted) << (outcome.error ? outcome.error->message() : "");
  const boost::json::value* found = outcome.fields.if_contains(field);
  return found != nullptr && found->is_array() ? found->as_array() : boost::json::array();
}

inline std::string TextOf(const boost::json::value& object, const char* key) {
  const boost::json::value& value = object.as_object().at(key);
  return value.is_string() ? std::string(value.as_string()) : "";
}

}  // namespace pgbackup
