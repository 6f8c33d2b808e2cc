// Which tables the objects of a backup hold the rows of, as its progress counts them.
#pragma once

#include <vector>

#include "core/dump/dump_plan.h"
#include "core/dump/table_names.h"
#include "core/progress/table_progress.h"

namespace pgbackup {

// Nothing is planned when an object does not tell where in it a table begins: a script does not.
void PlanTables(const std::vector<DumpObject>& plan, const ArchiveNames& names,
                TableProgress* tables);

}  // namespace pgbackup
