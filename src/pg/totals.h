// The numbers of backups that pgbackup.metrics and the page show (sql/parts/totals.sql).
#pragma once

#include "pg/server.h"

namespace pgbackup {

// In a transaction: counts the backups of a database anew.
void RecountBackups(const NameData* database);

// In a transaction: does so for databases whose backups have changed. Returns whether there may be
// more of them.
bool RecountChanged();

}  // namespace pgbackup
