// Everything the core takes from the machine besides storage: time, randomness, variables.
//
// Passed in, never reached for, so that tests decide what the time is and what fails.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/base/cancellation.h"

namespace pgbackup {

using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

class Environment {
 public:
  virtual ~Environment() = default;
  virtual WallTime Now() const = 0;
  virtual SteadyTime SteadyNow() const = 0;
  // Waits; returns early (and silently) when `cancellation` is set.
  virtual void Sleep(std::chrono::milliseconds duration, const Cancellation& cancellation) = 0;
  virtual void FillRandom(std::span<std::byte> out) = 0;
  // The value of an environment variable; nullopt when unset or empty.
  virtual std::optional<std::string> Variable(const std::string& name) const = 0;
};

// The real one: system clocks, getrandom(2), getenv(3).
std::unique_ptr<Environment> SystemEnvironment();

}  // namespace pgbackup
