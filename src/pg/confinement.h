// Confined sessions: those that an agent opens to dump, restore and verify.
//
// A superuser's session that loads rows or builds what a backup holds evaluates expressions that
// others wrote: CHECK constraints, domains, generated columns, casts, views. In a confined session
// none of them gets the superuser's rights:
//
// - a function whose owner is not a superuser runs as its owner (confined_functions.cpp);
// - COPY FROM, and what validates existing rows, runs as the owner of the table or domain
//   (confined_statements.cpp);
// - whatever else evaluates an expression whose author may not be a superuser calls no volatile
//   function that a superuser owns, so neither lo_export() nor query_to_xml(): while a statement is
//   parsed, while it defines something, and in a query that reads another role's view or writes
//   into another role's table (confined_queries.cpp).
//
// All of it in a security-restricted operation, which cannot change its role back, with settings
// restored afterwards. A session is confined from its start to its end, by the setting
// pgbackup.confined in its startup options; the hooks are installed in such sessions only. The
// setting has no effect in a session whose user is not a superuser: there it would let the caller
// run functions with the rights of their owners.
#pragma once

#include "pg/server.h"

namespace pgbackup {

// Defines pgbackup.confined. Called once, while the server preloads the library.
void DefineConfinement();

// Whether this session is confined. Reads the system catalogs once, so it needs a transaction.
bool IsConfined();

// Whether the current user is one whose rights an expression must not get.
inline bool HasSuperuserRights() {
  return superuser_arg(GetUserId());
}

bool IsSuperuserRole(Oid role);

// The parts, each installed once in a session that asks to be confined.
void ConfineFunctions();
void ConfineStatements();
void ConfineQueries();

// What may evaluate expressions whose author is not known. It is the rule outside of execution:
// while a statement is parsed, rewritten and planned.
enum class Authors {
  kUnknown,  // no volatile function that a superuser owns is called with a superuser's rights
  kTrusted,  // a superuser wrote it, or the client itself
};

// The state, to be put back as it was when a statement, query or function ends, also by an error.
Authors CurrentAuthors();
Authors SetAuthors(Authors authors);  // returns what was in force before

// The query that is being prepared calls a built-in function that evaluates expressions of others,
// so that query has authors that are not known.
void NoteForeignValues();

// Whether a function is running that would have had a superuser's rights, and got its owner's.
bool IsInForeignFunction();

// Whether settings that are changed now are put back when the function ends that changes them; if
// not, the error to raise.
bool MayChangeSettings();
void RefuseSettings();

// Runs something as another role, in a security-restricted operation: settings changed meanwhile
// are put back, and is_superuser reads "off". EndAsRole must be called unless there is an error:
// then the end of the transaction or subtransaction puts back role and settings, and what is left
// is to call PutBackIsSuperuser.
struct RoleSwitch {
  Oid previous_role;
  int previous_context;
  int settings_level;
  bool reads_superuser;
};
RoleSwitch BeginAsRole(Oid role);
void EndAsRole(const RoleSwitch& role_switch);
void PutBackIsSuperuser(const RoleSwitch& role_switch);

// Whether is_superuser reads "on" now.
bool ReadsAsSuperuser();

// Sets row_security to "on". pg_dump and pg_restore turn it off, which makes no difference to a
// superuser but an error of a policy that applies to an owner.
void KeepRowSecurity();

}  // namespace pgbackup
