#include "core/dump/row_plan.h"

#include <algorithm>
#include <numeric>

namespace pgbackup {
namespace {

// What a table costs besides its rows (catalog queries, locks, a COPY), as bytes read meanwhile.
constexpr uint64_t kPerTable = 512 << 10;
// Below this an object of one table is not worth a process.
constexpr uint64_t kLeastObject = 64 << 20;
// A bundle is worth one from here: the more tables there are, the longer pg_dump takes to begin.
constexpr uint64_t kLeastBundle = 128 << 20;
// A table stands alone when it is more than this part of what a lane has to do.
constexpr uint64_t kObjectsPerLane = 8;

uint64_t WeightOf(const TableWeight& table) {
  return table.bytes + kPerTable;
}

uint64_t DivideUp(uint64_t number, uint64_t by) {
  return number / by + (number % by != 0 ? 1 : 0);
}

class RowPlanner {
 public:
  RowPlanner(const std::vector<TableWeight>& tables, const RowPlanLimits& limits)
      : tables_(tables),
        limits_(limits),
        jobs_(static_cast<uint64_t>(std::max<int64_t>(limits.jobs, 1))),
        names_left_(limits.most_name_bytes),
        rest_(limits.other_bytes) {
    total_ = rest_;
    for (const TableWeight& table : tables) total_ += WeightOf(table);
    by_weight_.resize(tables.size());
    std::iota(by_weight_.begin(), by_weight_.end(), size_t{0});
    std::stable_sort(by_weight_.begin(), by_weight_.end(), [&](size_t left, size_t right) {
      return tables_[left].bytes > tables_[right].bytes;
    });
  }

  RowPlan Plan() {
    const uint64_t least = std::max(kLeastObject, total_ / (kObjectsPerLane * jobs_));
    std::vector<size_t> small;
    for (const size_t i : by_weight_) {
      const bool big = tables_[i].bytes >= least || IsSplit(tables_[i]);
      if (!big || !Leave(i))
        small.push_back(i);
      else if (IsSplit(tables_[i]))
        Split(i);
      else
        plan_.objects.push_back({{i}, std::nullopt, WeightOf(tables_[i])});
    }
    Bundle(small);
    plan_.rest_weight = rest_;
    std::stable_sort(
        plan_.objects.begin(), plan_.objects.end(),
        [](const auto& left, const auto& right) { return left.weight > right.weight; });
    return std::move(plan_);
  }

 private:
  bool IsSplit(const TableWeight& table) const {
    return table.can_split && table.bytes > limits_.split_bytes && table.pages > 1;
  }

  // Whether the table's rows can leave the rest; takes note of the room its name needs.
  bool Leave(size_t i) {
    if (!tables_[i].can_leave || tables_[i].name_bytes > names_left_) return false;
    names_left_ -= tables_[i].name_bytes;
    return true;
  }

  // Into pieces of at most split_bytes, and as many as there are lanes at least.
  void Split(size_t i) {
    const TableWeight& table = tables_[i];
    const uint64_t wanted = std::max(DivideUp(table.bytes, limits_.split_bytes), jobs_);
    const uint64_t size = DivideUp(table.pages, std::min(wanted, table.pages));
    const uint64_t pieces = DivideUp(table.pages, size);
    for (uint64_t piece = 0; piece < pieces; ++piece) {
      PageRange range{piece * size, std::nullopt};
      if (piece + 1 < pieces) range.end = range.first + size;
      plan_.objects.push_back({{i}, range, table.bytes / pieces + kPerTable});
    }
  }

  // Spreads the small tables over bundles and the rest, each to whichever has least so far.
  void Bundle(const std::vector<size_t>& small) {
    uint64_t all = rest_;
    for (const size_t i : small) all += WeightOf(tables_[i]);
    const uint64_t parts = std::min(jobs_, DivideUp(all, kLeastBundle));
    std::vector<RowObject> bundles(parts > 1 ? parts - 1 : 0);
    for (const size_t i : small) {
      const auto least = std::min_element(
          bundles.begin(), bundles.end(),
          [](const auto& left, const auto& right) { return left.weight < right.weight; });
      const uint64_t weight = WeightOf(tables_[i]);
      if (least == bundles.end() || rest_ <= least->weight || tables_[i].bytes == 0 || !Leave(i)) {
        rest_ += weight;
      } else {
        least->tables.push_back(i);
        least->weight += weight;
      }
    }
    for (RowObject& bundle : bundles)
      if (!bundle.tables.empty()) plan_.objects.push_back(std::move(bundle));
  }

  const std::vector<TableWeight>& tables_;
  const RowPlanLimits& limits_;
  const uint64_t jobs_;
  size_t names_left_;
  uint64_t rest_;
  uint64_t total_ = 0;
  std::vector<size_t> by_weight_;
  RowPlan plan_;
};

}  // namespace

RowPlan PlanRows(const std::vector<TableWeight>& tables, const RowPlanLimits& limits) {
  return RowPlanner(tables, limits).Plan();
}

}  // namespace pgbackup
