// Which indexes and constraints are built as soon as the rows of their table are there, while rows
// of other tables are still coming. Pure.
//
// These are entries INDEX and CONSTRAINT (primary keys, unique and exclusion constraints) of one
// table each, all of whose dependencies are made before any rows. What pg_restore's own workers
// take care of holds here too: ALTER TABLE takes a lock that nothing else on that table gets along
// with, while indexes of one table can be built at the same time. All else is left for the end:
//   - foreign keys, triggers, rules, policies, views, and whatever is made in no time;
//   - INDEX ATTACH, which needs the indexes of all partitions and is made in no time;
//   - what calls code that is not built in: that may look into other tables, whatever it says.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/archive/archive_toc.h"
#include "core/postgres/quoting.h"

namespace pgbackup {

struct EarlyBuilds {
  struct Table {
    QualifiedName name;
    std::vector<const TocEntry*> one_by_one;  // in this order, nothing else of the table meanwhile
    std::vector<const TocEntry*> at_once;     // after these, in any order or at the same time
  };
  // Before any rows, in this order: the indexes of partitioned tables, which are empty and which
  // those of the partitions depend on. Were they made later, their locks could meet those of COPY
  // into a partition, in the other order.
  std::vector<const TocEntry*> before_rows;
  std::vector<Table> tables;
};

// For `tables`, whose rows come in objects of their own; `wanted` says whether an entry is to be
// restored at all, `built_in` whether it calls no other code. Points into `toc`.
EarlyBuilds FindEarlyBuilds(const ArchiveToc& toc, const std::vector<QualifiedName>& tables,
                            const std::function<bool(const TocEntry&)>& wanted,
                            const std::function<bool(const TocEntry&)>& built_in);

}  // namespace pgbackup
