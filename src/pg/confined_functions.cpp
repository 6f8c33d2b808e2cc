// Functions in a confined session: those of other roles run as their owners, and what a superuser
// owns is out of reach of expressions whose author is not known.
#include "pg/confinement.h"

extern "C" {
#include "access/transam.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "utils/backend_status.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
}

namespace pgbackup {
namespace {

// A function that is being executed, from its start to its end.
struct Call {
  RoleSwitch role_switch;
  Authors authors;    // before it
  bool is_switched;   // role_switch is to be ended
  bool is_outranked;  // it had a superuser's rights before
  // What the server itself puts back before it says that the function has ended.
  bool is_definer;    // the role
  bool has_settings;  // settings, of which those that were changed meanwhile stay changed
};

Call* calls = nullptr;  // in TopMemoryContext
int depth = 0;
int capacity = 0;

needs_fmgr_hook_type previous_needs_hook = nullptr;
fmgr_hook_type previous_hook = nullptr;
object_access_hook_type previous_access_hook = nullptr;

struct Function {
  Oid oid;  // InvalidOid: none
  Oid owner;
  Oid language;
  char volatility;
  bool is_definer;
  bool has_settings;         // SET clauses
  bool is_of_ordinary_role;  // the owner is not a superuser
};

Function LookUp(Oid oid) {
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", oid);
  const auto* row = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
  Function function;
  function.oid = oid;
  function.owner = row->proowner;
  function.language = row->prolang;
  function.volatility = row->provolatile;
  function.is_definer = row->prosecdef;
  function.has_settings = !heap_attisnull(tuple, Anum_pg_proc_proconfig, nullptr);
  ReleaseSysCache(tuple);
  function.is_of_ordinary_role = !IsSuperuserRole(function.owner);
  return function;
}

// Functions described lately, by their OID: a constraint calls the same few for each row.
Function described[32];
uint64 changes = 0;  // how often functions or roles have changed

void ForgetFunctions(Datum /*arg*/, int /*cache*/, uint32 /*hash*/) {
  ++changes;
  for (Function& function : described) function.oid = InvalidOid;
}

const Function& Describe(Oid oid) {
  Function& function = described[oid % lengthof(described)];
  if (function.oid == oid) return function;
  uint64 seen;
  do {
    seen = changes;
    function = LookUp(oid);
  } while (seen != changes);
  return function;
}

bool IsInC(const Function& function) {
  return function.language == ClanguageId || function.language == INTERNALlanguageId;
}

// Also keeps the planner from inlining the function, which would run its body as the caller.
bool NeedsHook(Oid oid) {
  if (previous_needs_hook != nullptr && previous_needs_hook(oid)) return true;
  if (oid < FirstNormalObjectId || !IsConfined()) return false;
  const Function& function = Describe(oid);
  return function.is_of_ordinary_role || !IsInC(function);
}

void MakeRoom() {
  if (depth < capacity) return;
  const int wanted = capacity == 0 ? 32 : 2 * capacity;
  const Size size = sizeof(Call) * static_cast<Size>(wanted);
  calls = static_cast<Call*>(calls == nullptr ? MemoryContextAlloc(TopMemoryContext, size)
                                              : repalloc(calls, size));
  capacity = wanted;
}

// Whether a foreign function called now would learn of a superuser, or be one.
bool IsExposed() {
  return HasSuperuserRights() || !InSecurityRestrictedOperation() || ReadsAsSuperuser();
}

// With the rights of its owner; with the caller's when those are less, because the caller alone is
// known to want the call.
void SwitchTo(const Function& function, Call* call) {
  if (!IsExposed()) return;
  call->is_outranked = HasSuperuserRights();
  call->is_definer = function.is_definer;
  call->has_settings = function.has_settings;
  call->role_switch = BeginAsRole(call->is_outranked ? function.owner : GetUserId());
  call->is_switched = true;
}

// Whatever raises an error here does so before the call counts as begun.
void Begin(Oid oid) {
  MakeRoom();
  Call call = {};
  call.authors = CurrentAuthors();
  Authors authors = call.authors;
  if (IsConfined()) {
    const Function& function = Describe(oid);
    if (function.is_of_ordinary_role) {
      SwitchTo(function, &call);
      authors = Authors::kUnknown;
    } else if (!IsInC(function)) {
      authors = Authors::kTrusted;  // what a superuser wrote may call what it likes
    }
  }
  SetAuthors(authors);
  calls[depth++] = call;
}

void End(bool by_error) {
  if (depth == 0) return;
  const Call& call = calls[--depth];
  SetAuthors(call.authors);
  if (!call.is_switched) return;
  if (!by_error) {
    if (!call.has_settings) AtEOXact_GUC(false, call.role_switch.settings_level);
    if (!call.is_definer)
      SetUserIdAndSecContext(call.role_switch.previous_role, call.role_switch.previous_context);
  }
  PutBackIsSuperuser(call.role_switch);
}

void OnFunction(FmgrHookEventType event, FmgrInfo* function, Datum* arg) {
  if (event == FHET_START) {
    if (previous_hook != nullptr) previous_hook(event, function, arg);
    Begin(function->fn_oid);
    return;
  }
  End(event == FHET_ABORT);
  if (previous_hook != nullptr) previous_hook(event, function, arg);
}

// Volatile, yet without any effect but their result.
bool IsHarmless(Oid oid) {
  switch (oid) {
    case F_CLOCK_TIMESTAMP:
    case F_TIMEOFDAY:
    case F_GEN_RANDOM_UUID:
#if PG_VERSION_NUM >= 160000
    case F_RANDOM_NORMAL:
#endif
#if PG_VERSION_NUM >= 170000
    case F_RANDOM_:
    case F_RANDOM_INT4_INT4:
    case F_RANDOM_INT8_INT8:
    case F_RANDOM_NUMERIC_NUMERIC:
#else
    case F_RANDOM:
#endif
#if PG_VERSION_NUM >= 180000
    case F_UUIDV4:
    case F_UUIDV7_:
    case F_UUIDV7_INTERVAL:
#endif
      return true;
    default:
      return false;
  }
}

// Not volatile, yet they run queries that their arguments tell.
bool RunsQueries(Oid oid) {
  switch (oid) {
    case F_TABLE_TO_XML:
    case F_TABLE_TO_XMLSCHEMA:
    case F_TABLE_TO_XML_AND_XMLSCHEMA:
    case F_SCHEMA_TO_XML:
    case F_SCHEMA_TO_XMLSCHEMA:
    case F_SCHEMA_TO_XML_AND_XMLSCHEMA:
    case F_DATABASE_TO_XML:
    case F_DATABASE_TO_XMLSCHEMA:
    case F_DATABASE_TO_XML_AND_XMLSCHEMA:
      return true;
    default:
      return false;
  }
}

// Reads text as values of a column's type, so it evaluates domains that others wrote.
bool ReadsValuesOfColumns(Oid oid) {
#if PG_VERSION_NUM >= 180000
  return oid == F_PG_RESTORE_ATTRIBUTE_STATS;
#else
  (void)oid;
  return false;
#endif
}

bool MayBeCalledByAnyAuthor(Oid oid, const Function& function) {
  if (function.is_of_ordinary_role) return true;  // it runs as its owner
  if (function.volatility == PROVOLATILE_IMMUTABLE) return true;
  if (function.volatility == PROVOLATILE_VOLATILE) return IsHarmless(oid);
  if (RunsQueries(oid)) return false;
  // A stable function of an extension may run queries, as crosstab(text) does.
  return oid < FirstNormalObjectId || !IsInC(function);
}

// A function that the client calls directly, by the protocol's function call message: no expression
// is involved. Needs track_activities (see IsConfined).
bool IsFunctionCallMessage() {
  return MyBEEntry != nullptr && MyBEEntry->st_state == STATE_FASTPATH;
}

void OnObjectAccess(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void* arg) {
  if (previous_access_hook != nullptr)
    previous_access_hook(access, class_id, object_id, sub_id, arg);
  if (access != OAT_FUNCTION_EXECUTE) return;
  if (ReadsValuesOfColumns(object_id)) NoteForeignValues();
  if (object_id == F_SET_CONFIG && !MayChangeSettings()) RefuseSettings();
  if (CurrentAuthors() == Authors::kTrusted) return;
  if (!IsConfined() || !HasSuperuserRights() || IsFunctionCallMessage()) return;
  const Function& function = Describe(object_id);
  if (MayBeCalledByAnyAuthor(object_id, function)) return;
  ereport(ERROR,
          (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
           errmsg("function %s cannot be called with superuser rights in this session",
                  format_procedure(object_id)),
           errdetail("The session is confined, and an expression calls the function whose author "
                     "may not be a superuser."),
           errhint("Restore without the table, domain or view that calls it, or have a superuser "
                   "restore the backup with pg_restore after reading its definition.")));
}

}  // namespace

bool IsInForeignFunction() {
  for (int i = 0; i < depth; ++i)
    if (calls[i].is_outranked) return true;
  return false;
}

bool MayChangeSettings() {
  for (int i = depth - 1; i >= 0; --i)
    if (calls[i].is_switched) return !calls[i].has_settings;
  return true;
}

void RefuseSettings() {
  ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                  errmsg("settings cannot be changed here in a confined session"),
                  errdetail("A function with SET clauses changes further settings, which would "
                            "outlast it.")));
}

void ConfineFunctions() {
  previous_needs_hook = needs_fmgr_hook;
  needs_fmgr_hook = NeedsHook;
  previous_hook = fmgr_hook;
  fmgr_hook = OnFunction;
  previous_access_hook = object_access_hook;
  object_access_hook = OnObjectAccess;
  CacheRegisterSyscacheCallback(PROCOID, ForgetFunctions, Datum{0});
  CacheRegisterSyscacheCallback(AUTHOID, ForgetFunctions, Datum{0});
}

}  // namespace pgbackup
