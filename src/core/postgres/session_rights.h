// With which rights the statements of a session are executed.
#pragma once

#include "core/postgres/postgres_connection.h"
#include "core/postgres/server_address.h"

namespace pgbackup {

struct SessionRights {
  bool is_superuser = false;
  // The server's module runs what ordinary roles have written with the rights of these roles. A
  // server without the module accepts the setting as a placeholder, which does not count.
  bool is_confined = false;
};

SessionRights ReadSessionRights(PostgresConnection& connection);

// True when functions and expressions of ordinary roles, evaluated by the session, could do what a
// superuser can.
bool LendsSuperuserRights(const SessionRights& rights) noexcept;

// Throws kInvalid when that is so although the server must confine its sessions.
void CheckConfinement(PostgresConnection& connection, const ServerAddress& server);

}  // namespace pgbackup
