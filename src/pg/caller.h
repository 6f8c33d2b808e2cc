// Who calls, for functions that check rights or change something.
#pragma once

#include "pg/server.h"

namespace pgbackup {

// Raises an error within a security-restricted operation, such as a superuser's ANALYZE that
// evaluates the index expressions of a table as its owner. The outer user is the superuser there,
// while the code that calls is the owner's: it would get the superuser's rights, and the audit
// would name the superuser.
void RefuseRestrictedOperation();

// The role that called the SECURITY DEFINER function around us, SET ROLE respected. Refuses as
// above.
Oid CallerId();

}  // namespace pgbackup
