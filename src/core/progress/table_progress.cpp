#include "core/progress/table_progress.h"

#include <algorithm>

namespace pgbackup {

void TableProgress::Plan(const std::vector<QualifiedName>& pieces) {
  const std::lock_guard lock(mutex_);
  is_known_ = true;
  for (const QualifiedName& table : pieces) ++pieces_left_[table];
}

void TableProgress::Meet(const QualifiedName& table) {
  const std::lock_guard lock(mutex_);
  if (is_known_) pieces_left_.try_emplace(table, 1);
}

void TableProgress::Begin(const QualifiedName& table) {
  const std::lock_guard lock(mutex_);
  const auto known = pieces_left_.find(table);
  if (known == pieces_left_.end() || known->second == 0) return;
  auto active = FindActive(table);
  if (active == active_.end()) active = active_.insert(active, {table, 0});
  ++active->lanes;
}

void TableProgress::End(const QualifiedName& table) {
  const std::lock_guard lock(mutex_);
  if (const auto active = FindActive(table); active != active_.end() && --active->lanes == 0)
    active_.erase(active);
  const auto known = pieces_left_.find(table);
  if (known != pieces_left_.end() && known->second > 0 && --known->second == 0) ++done_;
}

void TableProgress::Finish() {
  const std::lock_guard lock(mutex_);
  active_.clear();
  for (auto& [table, left] : pieces_left_) left = 0;
  done_ = pieces_left_.size();
}

std::optional<TableProgress::State> TableProgress::Now() const {
  const std::lock_guard lock(mutex_);
  if (!is_known_) return std::nullopt;
  State state{done_, pieces_left_.size(), {}};
  for (const Active& active : active_) state.current.push_back(active.table);
  return state;
}

std::vector<TableProgress::Active>::iterator TableProgress::FindActive(const QualifiedName& table) {
  return std::find_if(active_.begin(), active_.end(),
                      [&](const Active& active) { return active.table == table; });
}

}  // namespace pgbackup
