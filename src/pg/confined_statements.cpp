// Utility statements in a confined session: what loads or checks rows runs as the owner of what it
// is done to, and what defines something calls nothing with a superuser's rights on the way.
#include "pg/confinement.h"

extern "C" {
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "commands/copy.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_relation.h"
#include "parser/parse_type.h"
#include "tcop/utility.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace pgbackup {
namespace {

ProcessUtility_hook_type previous_utility = nullptr;

// A statement as the hook gets it.
struct Statement {
  PlannedStmt* planned;
  const char* text;
  bool is_read_only_tree;
  ProcessUtilityContext context;
  ParamListInfo parameters;
  QueryEnvironment* environment;
  DestReceiver* destination;
  QueryCompletion* completion;
};

void Process(const Statement& statement) {
  (previous_utility != nullptr ? previous_utility : standard_ProcessUtility)(
      statement.planned, statement.text, statement.is_read_only_tree, statement.context,
      statement.parameters, statement.environment, statement.destination, statement.completion);
}

// Runs `work` with these authors, and puts back those before.
template <typename Work>
void With(Authors authors, const Work& work) {
  const Authors before = SetAuthors(authors);
  PG_TRY();
  { work(); }
  PG_FINALLY();
  { SetAuthors(before); }
  PG_END_TRY();
}

// Runs `work` as this role, or with the caller's own rights when that is InvalidOid. Whose
// expressions it evaluates is known then.
template <typename Work>
void As(Oid role, const Work& work) {
  With(Authors::kTrusted, [&] {
    if (!OidIsValid(role)) return work();
    const RoleSwitch role_switch = BeginAsRole(role);
    PG_TRY();
    { work(); }
    PG_CATCH();
    {
      PutBackIsSuperuser(role_switch);
      PG_RE_THROW();
    }
    PG_END_TRY();
    EndAsRole(role_switch);
  });
}

// Who wrote what rows of a table are checked with.
struct Author {
  bool is_known;
  Oid role;  // InvalidOid: a superuser
};

constexpr int kDeepestType = 64;  // arrays of domains of composites of …

// Whether values of the type pass a domain of a role that is not a superuser.
bool HasForeignDomain(Oid type, int depth) {
  check_stack_depth();
  if (type < FirstNormalObjectId && depth == 0) return false;
  if (depth > kDeepestType) return true;
  HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
  if (!HeapTupleIsValid(tuple)) return false;  // dropped meanwhile
  const FormData_pg_type row = *reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
  ReleaseSysCache(tuple);
  switch (row.typtype) {
    case TYPTYPE_DOMAIN:
      return !IsSuperuserRole(row.typowner) || HasForeignDomain(row.typbasetype, depth + 1);
    case TYPTYPE_RANGE:
      return HasForeignDomain(get_range_subtype(type), depth + 1);
    case TYPTYPE_MULTIRANGE:
      return HasForeignDomain(get_multirange_range(type), depth + 1);
    case TYPTYPE_COMPOSITE: {
      TupleDesc shape = lookup_rowtype_tupdesc_copy(type, -1);
      bool found = false;
      for (int i = 0; i < shape->natts && !found; ++i)
        if (!TupleDescAttr(shape, i)->attisdropped)
          found = HasForeignDomain(TupleDescAttr(shape, i)->atttypid, depth + 1);
      FreeTupleDesc(shape);
      return found;
    }
    default:
      return OidIsValid(row.typelem) && HasForeignDomain(row.typelem, depth + 1);
  }
}

bool HasForeignPartition(Relation relation) {
  if (relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE) return false;
  List* partitions = find_all_inheritors(RelationGetRelid(relation), NoLock, nullptr);
  bool found = false;
  ListCell* cell;
  foreach (cell, partitions) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(lfirst_oid(cell)));
    if (!HeapTupleIsValid(tuple)) continue;
    found = found || !IsSuperuserRole(reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner);
    ReleaseSysCache(tuple);
  }
  return found;
}

bool HasForeignColumn(Relation relation) {
  TupleDesc shape = RelationGetDescr(relation);
  for (int i = 0; i < shape->natts; ++i)
    if (!TupleDescAttr(shape, i)->attisdropped &&
        HasForeignDomain(TupleDescAttr(shape, i)->atttypid, 0))
      return true;
  return false;
}

Author AuthorOf(Relation relation) {
  const Oid owner = relation->rd_rel->relowner;
  if (!IsSuperuserRole(owner)) return {true, owner};
  return {!HasForeignPartition(relation) && !HasForeignColumn(relation), InvalidOid};
}

// As DoCopy() does it for a table and the client's data, but for the permissions, which a superuser
// has: the owner may lack some of them, such as that to look up names in the table's schema.
void CopyIn(const Statement& statement, const CopyStmt& copy) {
  Relation relation = table_openrv(copy.relation, RowExclusiveLock);
  if (XactReadOnly && !relation->rd_islocaltemp) PreventCommandIfReadOnly("COPY FROM");
  ParseState* state = make_parsestate(nullptr);
  state->p_sourcetext = statement.text;
  addRangeTableEntryForRelation(state, relation, RowExclusiveLock, nullptr, false, false);
  const Author author = AuthorOf(relation);
  uint64 rows = 0;
  const auto load = [&] {
    CopyFromState input = BeginCopyFrom(state, relation, nullptr, nullptr, false, nullptr,
                                        copy.attlist, copy.options);
    rows = CopyFrom(input);
    EndCopyFrom(input);
  };
  if (author.is_known)
    As(author.role, load);
  else
    With(Authors::kUnknown, load);
  free_parsestate(state);
  table_close(relation, NoLock);
  if (statement.completion != nullptr) SetQueryCompletion(statement.completion, CMDTAG_COPY, rows);
}

bool LoadsFromClient(const CopyStmt& copy) {
  return copy.is_from && copy.relation != nullptr && copy.filename == nullptr && !copy.is_program &&
         copy.whereClause == nullptr;
}

bool MayLookUpIn(Oid schema, Oid role) {
#if PG_VERSION_NUM >= 160000
  return object_aclcheck(NamespaceRelationId, schema, role, ACL_USAGE) == ACLCHECK_OK;
#else
  return pg_namespace_aclcheck(schema, role, ACL_USAGE) == ACLCHECK_OK;
#endif
}

// Whether existing rows are held against an expression of the table's owner.
bool ChecksRows(const AlterTableCmd& command, Oid table) {
  if (command.subtype == AT_AddConstraint) {
    const auto* constraint = reinterpret_cast<const Constraint*>(command.def);
    return constraint->contype == CONSTR_CHECK && !constraint->skip_validation;
  }
  if (command.subtype != AT_ValidateConstraint) return false;
  const Oid constraint = get_relation_constraint_oid(table, command.name, true);
  HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
  if (!HeapTupleIsValid(tuple)) return false;
  const char type = reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple))->contype;
  ReleaseSysCache(tuple);
  return type != CONSTRAINT_FOREIGN;
}

bool IsForeignKey(const AlterTableCmd& command) {
  return command.subtype == AT_AddConstraint &&
         reinterpret_cast<const Constraint*>(command.def)->contype == CONSTR_FOREIGN;
}

// Who wrote what this ALTER TABLE evaluates.
Author AuthorOf(const AlterTableStmt& alter) {
  constexpr Author kUnknown = {false, InvalidOid};
  if (alter.objtype != OBJECT_TABLE) return kUnknown;
  const Oid table = RangeVarGetRelid(alter.relation, NoLock, true);
  if (!OidIsValid(table)) return kUnknown;
  bool only_keys = true;
  bool only_checks = true;
  ListCell* cell;
  foreach (cell, alter.cmds) {
    const auto& command = *static_cast<const AlterTableCmd*>(lfirst(cell));
    only_keys = only_keys && IsForeignKey(command);
    only_checks = only_checks && ChecksRows(command, table);
  }
  // It reads tables by operators and casts of them; functions of others run as their owners.
  if (only_keys) return {true, InvalidOid};
  if (!only_checks) return kUnknown;
  Relation relation = relation_open(table, AccessShareLock);
  const Author author = AuthorOf(relation);
  relation_close(relation, AccessShareLock);
  if (OidIsValid(author.role) && !MayLookUpIn(get_rel_namespace(table), author.role))
    return kUnknown;
  return author;
}

Author AuthorOf(const AlterDomainStmt& alter) {
  const Oid domain = typenameTypeId(nullptr, makeTypeNameFromNameList(alter.typeName));
  HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(domain));
  if (!HeapTupleIsValid(tuple)) return {false, InvalidOid};
  const FormData_pg_type row = *reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
  ReleaseSysCache(tuple);
  if (IsSuperuserRole(row.typowner)) return {true, InvalidOid};
  return {MayLookUpIn(row.typnamespace, row.typowner), row.typowner};
}

void ProcessAs(const Author& author, const Statement& statement) {
  const auto work = [&] { Process(statement); };
  if (author.is_known)
    As(author.role, work);
  else
    With(Authors::kUnknown, work);
}

// Statements that evaluate what the client has sent, or that the server itself runs as the owner.
bool IsTrusted(const Node* node) {
  switch (nodeTag(node)) {
    case T_AlterDatabaseSetStmt:
    case T_AlterDatabaseStmt:
    case T_AlterExtensionStmt:
    case T_AlterRoleSetStmt:
    case T_AlterRoleStmt:
    case T_AlterSystemStmt:
    case T_CallStmt:
    case T_CheckPointStmt:
    case T_ClosePortalStmt:
    case T_ClusterStmt:
    case T_CopyStmt:
    case T_CreateExtensionStmt:
    case T_CreateRoleStmt:
    case T_CreatedbStmt:
    case T_CreateTableAsStmt:
    case T_DeallocateStmt:
    case T_DeclareCursorStmt:
    case T_DiscardStmt:
    case T_DoStmt:
    case T_DropdbStmt:
    case T_ExecuteStmt:
    case T_ExplainStmt:
    case T_FetchStmt:
    case T_LockStmt:
    case T_PrepareStmt:
    case T_RefreshMatViewStmt:
    case T_ReindexStmt:
    case T_TransactionStmt:
    case T_VacuumStmt:
    case T_VariableSetStmt:
    case T_VariableShowStmt:
      return true;
    default:
      return false;
  }
}

// What an expression may do as its owner: no command that gives rights, or takes any.
bool IsAllowedInFunctions(const Node* node) {
  return IsA(node, VariableSetStmt) || IsA(node, VariableShowStmt) || IsA(node, NotifyStmt);
}

void CheckAllowed(const Statement& statement) {
  const Node* node = statement.planned->utilityStmt;
  if (IsA(node, VariableSetStmt) && !MayChangeSettings()) RefuseSettings();
  const bool by_function = statement.context == PROCESS_UTILITY_QUERY ||
                           statement.context == PROCESS_UTILITY_QUERY_NONATOMIC;
  if (!by_function || IsAllowedInFunctions(node) || !IsInForeignFunction()) return;
  ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                  errmsg("%s is not allowed in a function of another role in a confined session",
                         GetCommandTagName(CreateCommandTag(statement.planned->utilityStmt)))));
}

void Dispatch(Statement* statement) {
  Node* node = statement->planned->utilityStmt;
  if (IsA(node, CopyStmt) && LoadsFromClient(*reinterpret_cast<CopyStmt*>(node)))
    return CopyIn(*statement, *reinterpret_cast<CopyStmt*>(node));
  if (IsA(node, AlterTableStmt))
    return ProcessAs(AuthorOf(*reinterpret_cast<AlterTableStmt*>(node)), *statement);
  if (IsA(node, AlterDomainStmt))
    return ProcessAs(AuthorOf(*reinterpret_cast<AlterDomainStmt*>(node)), *statement);
  // A procedure that ended the transaction would end the switch to its owner, too.
  if (IsA(node, CallStmt) && statement->context == PROCESS_UTILITY_TOPLEVEL)
    statement->context = PROCESS_UTILITY_QUERY;
  // Archives refresh materialized views after they have made the event triggers, which saw nothing
  // of that in the database that was dumped. They fire for no part of another statement.
  if (IsA(node, RefreshMatViewStmt) && statement->context == PROCESS_UTILITY_TOPLEVEL)
    statement->context = PROCESS_UTILITY_SUBCOMMAND;
  ProcessAs({IsTrusted(node), InvalidOid}, *statement);
  if (IsA(node, VariableSetStmt)) KeepRowSecurity();
}

void OnUtility(PlannedStmt* planned, const char* text, bool is_read_only_tree,
               ProcessUtilityContext context, ParamListInfo parameters,
               QueryEnvironment* environment, DestReceiver* destination,
               QueryCompletion* completion) {
  Statement statement = {planned,    text,        is_read_only_tree, context,
                         parameters, environment, destination,       completion};
  // The end of a failed transaction reads no catalog.
  if (IsA(planned->utilityStmt, TransactionStmt) || !IsTransactionState() || !IsConfined())
    return Process(statement);
  CheckAllowed(statement);
  if (HasSuperuserRights())
    Dispatch(&statement);
  else
    Process(statement);
}

}  // namespace

void ConfineStatements() {
  previous_utility = ProcessUtility_hook;
  ProcessUtility_hook = OnUtility;
}

}  // namespace pgbackup
