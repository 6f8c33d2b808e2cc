#include "core/restore/load/restore_errors.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/json.h"

namespace pgbackup {
namespace {

constexpr size_t kMostListed = 20;

std::string OneLine(const RestoreError& error) {
  return fmt::format("{}: {}", error.entry, error.message);
}

}  // namespace

void RestoreErrors::Add(RestoreError error) {
  const std::lock_guard lock(mutex_);
  ++count_;
  const size_t size = error.entry.size() + error.message.size() + error.detail.size();
  if (kept_.size() == kMostKept || (!kept_.empty() && bytes_ + size > kMostBytes)) return;
  bytes_ += size;
  kept_.push_back(std::move(error));
}

uint64_t RestoreErrors::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::string RestoreErrors::InWords() const {
  const std::lock_guard lock(mutex_);
  if (count_ == 0) return {};
  return fmt::format("the database is INCOMPLETE: {} error{} passed over, the first of {}", count_,
                     count_ == 1 ? " was" : "s were", OneLine(kept_.front()));
}

std::string RestoreErrors::Listed() const {
  const std::lock_guard lock(mutex_);
  std::string lines;
  for (size_t i = 0; i < kept_.size() && i < kMostListed; ++i)
    lines += fmt::format("{}{}", i == 0 ? "" : "\n", OneLine(kept_[i]));
  if (count_ > kMostListed) lines += fmt::format("\n… and {} more", count_ - kMostListed);
  return lines;
}

boost::json::array RestoreErrors::AsJson() const {
  const std::lock_guard lock(mutex_);
  boost::json::array errors;
  for (const RestoreError& error : kept_)
    errors.push_back({{"entry", JsonText(std::string_view(error.entry))},
                      {"message", JsonText(std::string_view(error.message))},
                      {"detail", JsonText(std::string_view(error.detail))}});
  return errors;
}

}  // namespace pgbackup
