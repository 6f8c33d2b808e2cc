#include "pg/confinement.h"

extern "C" {
#include "utils/rls.h"
}

namespace pgbackup {
namespace {

bool confined = false;  // the setting
Authors authors = Authors::kUnknown;

void InstallOnce() {
  static bool installed = false;
  if (installed) return;
  installed = true;
  ConfineFunctions();
  ConfineStatements();
  ConfineQueries();
}

// Called with the session's startup options, and again in its parallel workers.
void OnAssign(bool value, void* /*extra*/) {
  if (value) InstallOnce();
}

// What is_superuser reads. No check of the server depends on it. Written directly, because a change
// by the machinery of settings costs more than a small function that is called for each row.
bool* IsSuperuserVariable() {
#if PG_VERSION_NUM >= 170000
  return &current_role_is_superuser;
#else
  return &session_auth_is_superuser;
#endif
}

// By its activity a session knows a function call message from an expression
// (confined_functions.cpp).
void TrackActivity() {
  SetConfigOption("track_activities", "on", PGC_SUSET, PGC_S_OVERRIDE);
}

// pg_stat_activity shows the session as confined. The setting stays as it is: it may be changed
// later, and this is said once.
void ShowInActivity() {
  pgstat_report_appname(psprintf("%s (confined)", application_name));
}

}  // namespace

void DefineConfinement() {
  DefineCustomBoolVariable(
      "pgbackup.confined",
      "Runs expressions and functions of other roles without superuser rights in this session.",
      "Set by pgbackup in the startup options of the sessions that dump and restore.", &confined,
      false, PGC_BACKEND, GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, nullptr, OnAssign, nullptr);
}

bool IsSuperuserRole(Oid role) {
  return superuser_arg(role);
}

bool IsConfined() {
  // Of the user who has connected, whom SET SESSION AUTHORIZATION does not change. Asked once: a
  // session does not become less confined while it lasts.
  static enum { kNotAsked, kNo, kYes } answer = kNotAsked;
  if (!confined) return false;
  if (answer == kNotAsked) {
    answer = superuser_arg(GetAuthenticatedUserId()) ? kYes : kNo;
    if (answer == kYes && !IsInParallelMode()) TrackActivity();
    if (answer == kYes) ShowInActivity();
    if (answer == kYes) KeepRowSecurity();
  }
  return answer == kYes;
}

bool ReadsAsSuperuser() {
  return *IsSuperuserVariable();
}

void KeepRowSecurity() {
  row_security = true;
}

Authors CurrentAuthors() {
  return authors;
}

Authors SetAuthors(Authors now) {
  const Authors before = authors;
  authors = now;
  return before;
}

RoleSwitch BeginAsRole(Oid role) {
  RoleSwitch role_switch;
  GetUserIdAndSecContext(&role_switch.previous_role, &role_switch.previous_context);
  role_switch.settings_level = NewGUCNestLevel();
  // What an owner's function asks in order to know whether it has a superuser's rights.
  role_switch.reads_superuser = *IsSuperuserVariable();
  *IsSuperuserVariable() = false;
  SetUserIdAndSecContext(role, role_switch.previous_context | SECURITY_LOCAL_USERID_CHANGE |
                                   SECURITY_RESTRICTED_OPERATION);
  return role_switch;
}

void EndAsRole(const RoleSwitch& role_switch) {
  AtEOXact_GUC(false, role_switch.settings_level);
  SetUserIdAndSecContext(role_switch.previous_role, role_switch.previous_context);
  PutBackIsSuperuser(role_switch);
}

void PutBackIsSuperuser(const RoleSwitch& role_switch) {
  *IsSuperuserVariable() = role_switch.reads_superuser;
}

}  // namespace pgbackup
