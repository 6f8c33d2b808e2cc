#include "core/restore/contents_run.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "core/base/json.h"
#include "core/dump/read_session.h"
#include "core/dump/server_encoding.h"
#include "core/restore/plan/readable_backup.h"
#include "core/restore/plan/stored_toc.h"

namespace pgbackup {
namespace {

namespace json = boost::json;

// Entries with which an archive sets up a session: nothing that was in the database.
bool IsOfTheSession(const std::string& kind) {
  return kind == "ENCODING" || kind == "STDSTRINGS" || kind == "SEARCHPATH";
}

class Contents {
 public:
  Contents(const ContentsJob& job, const RunContext& context) : job_(job), context_(context) {}

  json::array Read();

 private:
  void AddArchive(const ManifestObject& object);
  void AddRange(const ManifestObject& object);
  json::value InUtf8(const std::string& name);
  json::value RowsOf(const QualifiedName& table);

  const ContentsJob& job_;
  const RunContext& context_;
  ReadableBackup backup_;
  std::optional<PostgresConnection> connection_;  // once a name has to be converted
  std::map<std::string, std::string> converted_;
  std::set<QualifiedName> counted_;
  json::array entries_;
};

json::array Contents::Read() {
  context_.progress.SetPhase("reading tables of contents");
  backup_ = OpenReadableBackup(job_, job_.checksum, job_.copies, context_);
  if (backup_.manifest.format == DumpFormat::kPlain)
    throw Error(ErrorKind::kInvalid,
                fmt::format("backup {} has no table of contents", backup_.manifest.id),
                "Its format is plain: SQL, which has none.",
                "Restore it into a database of its own to see what it holds.");
  for (const ManifestObject& object : backup_.manifest.objects) {
    context_.cancellation.ThrowIfCancelled();
    if (object.kind == ObjectKind::kArchive) AddArchive(object);
    if (object.kind == ObjectKind::kCopy) AddRange(object);
  }
  return std::move(entries_);
}

void Contents::AddArchive(const ManifestObject& object) {
  for (const TocEntry& entry : ReadStoredToc(*backup_.storage, job_.file_name, object).entries) {
    if (IsOfTheSession(entry.kind)) continue;
    json::object row;
    row["object"] = JsonText(std::string_view(object.name));
    row["dump_id"] = entry.id;
    row["kind"] = JsonText(std::string_view(entry.kind));
    row["schema"] = InUtf8(entry.schema);
    row["name"] = InUtf8(entry.tag);
    row["owner"] = InUtf8(entry.owner);
    row["has_data"] = entry.has_data;
    if (entry.kind == "TABLE DATA") {
      const auto text = [&](const char* key) {
        return row[key].is_null() ? std::string() : std::string(row[key].as_string());
      };
      row["row_count"] = RowsOf({text("schema"), text("name")});
      if (object.tables.size() == 1) row["raw_size"] = object.raw_size;
    }
    entries_.push_back(std::move(row));
  }
}

// Rows that are no archive, and have no owner of their own.
void Contents::AddRange(const ManifestObject& object) {
  for (const QualifiedName& table : object.tables)
    entries_.push_back(json::object{{"object", JsonText(std::string_view(object.name))},
                                    {"kind", "TABLE DATA"},
                                    {"schema", JsonText(std::string_view(table.schema))},
                                    {"name", JsonText(std::string_view(table.name))},
                                    {"has_data", true},
                                    {"row_count", RowsOf(table)},
                                    {"raw_size", object.raw_size}});
}

// A name in an archive, which is in the encoding of the database; null for none.
json::value Contents::InUtf8(const std::string& name) {
  if (name.empty()) return nullptr;
  const std::string& encoding = backup_.manifest.properties.encoding;
  if (!NeedsConversion(name, encoding)) return JsonText(std::string_view(name));
  const auto [found, is_new] = converted_.try_emplace(name);
  if (is_new) {
    if (!connection_)
      connection_.emplace(SettingsFor(job_.server, job_.server.maintenance_database),
                          context_.cancellation);
    found->second = FromServerEncoding(*connection_, name, encoding);
  }
  return JsonText(std::string_view(found->second));
}

// At the first object that has rows of a table, so that adding up counts each once.
json::value Contents::RowsOf(const QualifiedName& table) {
  const FingerprintList& known = backup_.manifest.fingerprints;
  const auto found = known.find(table);
  if (found == known.end() || !counted_.insert(table).second) return nullptr;
  return found->second.rows;
}

}  // namespace

RunOutcome RunContents(const ContentsJob& job, const RunContext& context) {
  try {
    RunOutcome outcome;
    outcome.fields["entries"] = Contents(job, context).Read();
    return outcome;
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
