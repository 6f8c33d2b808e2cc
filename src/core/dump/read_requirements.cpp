#include "core/dump/read_requirements.h"

#include <algorithm>

namespace pgbackup {
namespace {

// pg_shdepend knows most of this, but nothing of the role that initdb has made (oid 10), and it
// also names who owns extensions and what is in them, which no dump does.
// is_owned says whether a dump names the owner of things of this class at all.
constexpr const char* kRolesSql = R"(
WITH thing (class, oid, owner, acl, is_owned) AS (
  SELECT 'pg_class'::regclass, oid, relowner, relacl, relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    FROM pg_class WHERE relpersistence <> 't'
  UNION ALL SELECT 'pg_type'::regclass, t.oid, typowner, typacl,
      typrelid = 0 AND typtype <> 'm' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
    FROM pg_type t
  UNION ALL SELECT 'pg_namespace'::regclass, oid, nspowner, nspacl, true
    FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
  UNION ALL SELECT 'pg_proc'::regclass, oid, proowner, proacl, true FROM pg_proc
  UNION ALL SELECT 'pg_largeobject'::regclass, oid, lomowner, lomacl, true FROM pg_largeobject_metadata
  UNION ALL SELECT 'pg_language'::regclass, oid, lanowner, lanacl, true FROM pg_language
  UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner, fdwacl, true
    FROM pg_foreign_data_wrapper
  UNION ALL SELECT 'pg_foreign_server'::regclass, oid, srvowner, srvacl, true FROM pg_foreign_server
  UNION ALL SELECT 'pg_default_acl'::regclass, oid, defaclrole, defaclacl, true FROM pg_default_acl
  UNION ALL SELECT 'pg_user_mapping'::regclass, umid, umuser, NULL, true FROM pg_user_mappings
  UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner, NULL, true FROM pg_operator
  UNION ALL SELECT 'pg_opclass'::regclass, oid, opcowner, NULL, true FROM pg_opclass
  UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfowner, NULL, true FROM pg_opfamily
  UNION ALL SELECT 'pg_collation'::regclass, oid, collowner, NULL, true FROM pg_collation
  UNION ALL SELECT 'pg_conversion'::regclass, oid, conowner, NULL, true FROM pg_conversion
  UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner, NULL, true FROM pg_ts_config
  UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner, NULL, true FROM pg_ts_dict
  UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner, NULL, true FROM pg_statistic_ext
  UNION ALL SELECT 'pg_event_trigger'::regclass, oid, evtowner, NULL, true FROM pg_event_trigger
  UNION ALL SELECT 'pg_publication'::regclass, oid, pubowner, NULL, true FROM pg_publication
  UNION ALL SELECT 'pg_subscription'::regclass, oid, subowner, NULL, true FROM pg_subscription
    WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
), named (role) AS (
  SELECT owner FROM thing t
   WHERE is_owned AND (oid >= 16384 OR owner <> 10)
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = t.class AND d.objid = t.oid
                        AND d.objsubid = 0 AND d.deptype = 'e')
  UNION SELECT r.role FROM thing, aclexplode(acl) a, LATERAL (VALUES (a.grantee), (a.grantor)) AS r (role)
   WHERE r.role <> owner
  UNION SELECT r.role FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid, aclexplode(t.attacl) a,
         LATERAL (VALUES (a.grantee), (a.grantor)) AS r (role)
   WHERE r.role <> c.relowner
  UNION SELECT unnest(polroles) FROM pg_policy
)
SELECT r.rolname FROM named n JOIN pg_roles r ON r.oid = n.role WHERE r.rolname !~ '^pg_')";

// plpgsql is in every database from the beginning, with a lower oid.
constexpr const char* kExtensionsSql =
    "SELECT e.extname, e.extversion, n.nspname FROM pg_extension e "
    "JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.oid >= 16384 ORDER BY 1";

constexpr const char* kConfigurationSql =
    "SELECT e.extname, n.nspname, c.relname FROM pg_extension e "
    "JOIN pg_class c ON c.oid = ANY (e.extconfig) JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE e.oid >= 16384 ORDER BY 1, 2, 3";

constexpr const char* kTablespacesSql =
    "SELECT DISTINCT t.spcname FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace "
    "WHERE c.oid >= 16384 AND c.relpersistence <> 't' AND t.spcname !~ '^pg_' ORDER BY 1";

}  // namespace

Requirements ReadRequirements(PostgresConnection& connection,
                              const DatabaseProperties& properties) {
  Requirements requirements;
  requirements.roles = RolesOf(properties);
  const QueryResult roles = connection.Query(kRolesSql);
  for (int row = 0; row < roles.rows(); ++row) requirements.roles.push_back(roles.Text(row, 0));
  std::sort(requirements.roles.begin(), requirements.roles.end());
  requirements.roles.erase(std::unique(requirements.roles.begin(), requirements.roles.end()),
                           requirements.roles.end());
  const QueryResult extensions = connection.Query(kExtensionsSql);
  for (int row = 0; row < extensions.rows(); ++row)
    requirements.extensions.push_back(
        {extensions.Text(row, 0), extensions.Text(row, 1), extensions.Text(row, 2)});
  const QueryResult configuration = connection.Query(kConfigurationSql);
  for (int row = 0; row < configuration.rows(); ++row)
    for (NeededExtension& extension : requirements.extensions)
      if (extension.name == configuration.Text(row, 0))
        extension.configuration.push_back({configuration.Text(row, 1), configuration.Text(row, 2)});
  const QueryResult tablespaces = connection.Query(kTablespacesSql);
  for (int row = 0; row < tablespaces.rows(); ++row)
    requirements.tablespaces.push_back(tablespaces.Text(row, 0));
  return requirements;
}

}  // namespace pgbackup
