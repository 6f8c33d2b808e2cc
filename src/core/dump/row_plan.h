// Which rows of a database become objects of their own, so that lanes dump and restores load them
// side by side. Pure.
//
// A table that is a good part of the work stands alone; one that is huge is split into ranges of
// pages; small ones are bundled when there are enough of them to keep a further lane busy. All else
// stays in the object that takes what has no other (the rest).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace pgbackup {

struct TableWeight {
  uint64_t bytes = 0;      // on disk, with TOAST; 0 when its rows are not dumped
  uint64_t pages = 0;      // of the table alone
  size_t name_bytes = 0;   // what naming it takes on a command line
  bool can_leave = false;  // whether its rows may be in another object than the rest
  bool can_split = false;  // whether ranges of its pages may
};

struct RowPlanLimits {
  int64_t jobs = 2;                    // lanes
  uint64_t split_bytes = 16ull << 30;  // a table above this is split
  uint64_t other_bytes = 0;            // what the rest holds besides tables: large objects
  size_t most_name_bytes = 768 << 10;  // of all tables with an object of their own
};

// Pages [first, end) of a table; no end: to its last.
struct PageRange {
  uint64_t first = 0;
  std::optional<uint64_t> end;
  bool operator==(const PageRange&) const = default;
};

struct RowObject {
  std::vector<size_t> tables;      // indexes of the input
  std::optional<PageRange> pages;  // of its one table
  uint64_t weight = 0;             // about how much work it is, in bytes of table
};

struct RowPlan {
  std::vector<RowObject> objects;  // the heaviest first
  uint64_t rest_weight = 0;
};

// Ranges of one table are next to each other in the order of their pages. Each table is in one
// object, in all ranges, or in none.
RowPlan PlanRows(const std::vector<TableWeight>& tables, const RowPlanLimits& limits);

}  // namespace pgbackup
