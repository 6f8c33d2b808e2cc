// Whether the indexes of a restored database find what is in its tables.
#pragma once

#include <string>

#include "core/base/cancellation.h"
#include "core/postgres/server_address.h"

namespace pgbackup {

// kCorrupt, naming the index, when there is one that is not valid or, where the extension amcheck
// is there or the role can create it, one that amcheck finds damaged. The extension gets a schema
// of its own, whose name ends in `suffix`, in a transaction that is rolled back and that no event
// trigger of the database fires in.
//
// amcheck knows B-trees only. So of every exclusion constraint, and of every other index that calls
// code of the database, which may have read other tables when it was built, a sample of rows is
// looked up by the values that they have now: the index has to find each of them, and that of an
// exclusion constraint nothing else that would conflict with it.
void CheckIndexes(const ConnectionSettings& settings, const std::string& suffix,
                  const Cancellation& cancellation);

}  // namespace pgbackup
