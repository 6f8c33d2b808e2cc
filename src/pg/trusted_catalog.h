// Whose the objects are that the launcher runs as a superuser.
//
// The owner of a function can replace it, that of a table can give it triggers. So what belongs to
// a role that is no superuser, be it that it was one when it created the extension, is not run.
#pragma once

#include "pg/server.h"

namespace pgbackup {

// For the launcher, at the beginning of a transaction with SPI connected and a snapshot set.
//
// False when the extension does not exist: then nothing in its schema is what it seems. Otherwise
// it stays until the end of the transaction. Raises an error that names the role when an object of
// the schema, or a function that a trigger there calls, is not a superuser's. Looked at anew only
// when some role, function or relation has changed.
bool CatalogIsTrusted();

}  // namespace pgbackup
