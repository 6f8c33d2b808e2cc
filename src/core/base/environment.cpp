#include "core/base/environment.h"

#include <poll.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

#include "core/base/error.h"

namespace pgbackup {
namespace {

class RealEnvironment final : public Environment {
 public:
  WallTime Now() const override { return std::chrono::system_clock::now(); }
  SteadyTime SteadyNow() const override { return std::chrono::steady_clock::now(); }

  void Sleep(std::chrono::milliseconds duration, const Cancellation& cancellation) override {
    const SteadyTime until = SteadyNow() + duration;
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyNow()).count();
      if (left <= 0 || cancellation.IsCancelled()) return;
      pollfd waiting{cancellation.fd(), POLLIN, 0};
      poll(&waiting, 1, static_cast<int>(left < 60000 ? left : 60000));
    }
  }

  void FillRandom(std::span<std::byte> out) override {
    while (!out.empty()) {
      const ssize_t got = getrandom(out.data(), out.size(), 0);
      if (got < 0) {
        if (errno == EINTR) continue;
        throw Error(ErrorKind::kInternal, "could not obtain random bytes");
      }
      out = out.subspan(static_cast<size_t>(got));
    }
  }

  std::optional<std::string> Variable(const std::string& name) const override {
    const char* value = getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
  }
};

}  // namespace

std::unique_ptr<Environment> SystemEnvironment() {
  return std::make_unique<RealEnvironment>();
}

}  // namespace pgbackup
