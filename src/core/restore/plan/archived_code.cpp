#include "core/restore/plan/archived_code.h"

#include <algorithm>
#include <string_view>

namespace pgbackup {
namespace {

template <size_t kCount>
bool IsOneOf(const std::string& text, const std::string_view (&texts)[kCount]) {
  return std::find(std::begin(texts), std::end(texts), text) != std::end(texts);
}

// Extensions of PostgreSQL's own none of whose functions reads a table.
constexpr std::string_view kHarmlessExtensions[] = {
    "btree_gin", "btree_gist", "citext", "cube",     "earthdistance",      "fuzzystrmatch",
    "hstore",    "intarray",   "isn",    "ltree",    "pg_stat_statements", "pg_trgm",
    "pgcrypto",  "plpgsql",    "seg",    "unaccent", "uuid-ossp"};

constexpr std::string_view kCode[] = {
    "FUNCTION", "PROCEDURE", "AGGREGATE",     "OPERATOR",        "OPERATOR CLASS",
    "CAST",     "TRANSFORM", "ACCESS METHOD", "OPERATOR FAMILY", "FOREIGN DATA WRAPPER"};

// Types and domains without functions only use the server's own.
bool BringsCode(const TocEntry& entry) {
  if (entry.kind == "EXTENSION") return !IsOneOf(entry.tag, kHarmlessExtensions);
  return entry.queries_by_text || IsOneOf(entry.kind, kCode);
}

}  // namespace

ArchivedCode::ArchivedCode(const Manifest& manifest, const std::optional<ArchiveToc>& definitions)
    : user_code_(manifest.user_code) {
  if (!user_code_)
    is_unknown_ = !definitions ||
                  std::any_of(definitions->entries.begin(), definitions->entries.end(), BringsCode);
  if (!definitions) return;
  for (const TocEntry& entry : definitions->entries)
    if (entry.kind == "TABLE") oids_[{entry.schema, entry.tag}] = entry.oid;
}

ArchivedCode::Needs ArchivedCode::OfRows(uint32_t table_oid) const {
  if (!user_code_) return is_unknown_ ? Needs::kEverything : Needs::kNothing;
  if (user_code_->tables.count(table_oid) != 0) return Needs::kEverything;
  return user_code_->extension_tables.count(table_oid) != 0 ? Needs::kExtensions : Needs::kNothing;
}

ArchivedCode::Needs ArchivedCode::OfRows(const QualifiedName& table) const {
  const auto found = oids_.find(table);
  if (found != oids_.end()) return OfRows(found->second);
  return AnyNeedsEverything() ? Needs::kEverything : Needs::kNothing;
}

bool ArchivedCode::AnyNeedsEverything() const {
  return user_code_ ? !user_code_->tables.empty() : is_unknown_;
}

bool ArchivedCode::Calls(const TocEntry& entry) const {
  const bool is_view = entry.kind == "MATERIALIZED VIEW DATA";
  if (!user_code_) return is_view && is_unknown_;
  if (is_view) return user_code_->materialized_views.count(entry.oid) != 0;
  if (entry.kind == "INDEX") return user_code_->indexes.count(entry.oid) != 0;
  return entry.kind.ends_with("CONSTRAINT") && user_code_->constraints.count(entry.oid) != 0;
}

}  // namespace pgbackup
