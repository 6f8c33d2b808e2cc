#include "core/restore/plan/restore_contents.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/archive/toc_reader.h"
#include "core/base/error.h"
#include "core/dump/server_encoding.h"
#include "core/manifest/stored_object.h"
#include "core/restore/plan/completed_toc.h"
#include "core/restore/plan/dangling_grants.h"
#include "core/restore/plan/load_order.h"
#include "core/restore/plan/stored_toc.h"

namespace pgbackup {
namespace {

// In pieces, because a million large objects make it hundreds of megabytes.
std::optional<ArchiveToc> ReadToc(const MemoryFile& archive) {
  ArchiveToc toc;
  TocReader reader(toc);
  archive.Read([&](std::string_view piece) { return !reader.Read(piece); });
  if (!reader.IsComplete()) return std::nullopt;
  return toc;
}

// In the encoding of the archives.
std::vector<QualifiedName> TagsOfExtensions(const Manifest& manifest,
                                            PostgresConnection& connection) {
  if (!manifest.part_needs) return {};
  Selection tags;
  for (const PartNeeds::OfExtension& entry : manifest.part_needs->of_extensions)
    tags.tables.push_back({entry.schema, entry.tag});
  return InServerEncoding(connection, tags, manifest.properties.encoding).tables;
}

}  // namespace

size_t DefinitionsObject(const Manifest& manifest) {
  for (size_t i = 0; i < manifest.objects.size(); ++i) {
    const std::vector<std::string>& sections = manifest.objects[i].sections;
    if (std::find(sections.begin(), sections.end(), "pre-data") != sections.end()) return i;
  }
  throw Error(ErrorKind::kInvalid, "the manifest names no object with definitions");
}

void ContentsReader::Read(Storage& storage, const Manifest& manifest,
                          PostgresConnection& connection) {
  const std::string& encoding = manifest.properties.encoding;
  for (size_t i = 0; i < manifest.objects.size(); ++i) {
    const ManifestObject& object = manifest.objects[i];
    Selection names;
    names.tables = object.tables;
    contents_.tables.push_back(InServerEncoding(connection, names, encoding).tables);
    if (IsDefinitions(object)) LoadDefinitions(storage, manifest, i);
    if (IsWholeArchive(object)) LoadHead(storage, manifest, i);
  }
  LeaveOutDanglingGrants(manifest, connection);
  bound_ = FindBoundExtensions(manifest, job_.options.bound_extensions);
  WantedParts wanted = Wanted(connection, encoding);
  wanted.hold_extensions = bound_.names;
  Selection of_bound;
  of_bound.tables = bound_.tables;
  wanted.hold_tables = InServerEncoding(connection, of_bound, encoding).tables;
  if (job_.options.ChoosesParts() || !bound_.names.empty())
    SelectParts(storage, manifest, wanted, TagsOfExtensions(manifest, connection));
  if (job_.options.content != DumpContent::kSchema) ReadArchives(storage, manifest);
}

void ContentsReader::LeaveOutDanglingGrants(const Manifest& manifest,
                                            PostgresConnection& connection) {
  if (!contents_.definitions) return;
  const IsGone is_gone = RolesThatAreGone(manifest, connection);
  const std::vector<int64_t> entries = DanglingGrants(*contents_.definitions, is_gone);
  if (entries.empty()) return;
  std::unique_ptr<MemoryFile>& file = files_.at(DefinitionsObject(manifest));
  std::string archive;
  file->Read([&](std::string_view piece) { return !archive.append(piece).empty(); });
  ArchiveToc toc;
  TocReader reader(toc);
  reader.Read(archive);
  dangling_grants_ =
      BlankGrants(entries, is_gone, reader.integer_size(), &*contents_.definitions, &archive);
  file = std::make_unique<MemoryFile>(archive);
}

// The beginnings of archives whose rows have to be loaded in turns.
void ContentsReader::ReadArchives(Storage& storage, const Manifest& manifest) {
  const ArchivedCode code(manifest, contents_.definitions);
  for (size_t i = 0; i < manifest.objects.size(); ++i) {
    const ManifestObject& object = manifest.objects[i];
    if (object.sections != std::vector<std::string>{"data"} ||
        !MayHaveToBeSplit(object, contents_.tables[i], code) ||
        (!contents_.parts.empty() && contents_.parts[i].take == ObjectPart::Take::kNothing))
      continue;
    auto head = std::make_unique<MemoryFile>();
    try {
      contents_.archives[i] = ReadStoredToc(storage, job_.file_name, object, head->Writer().get());
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInvalid) throw;
      continue;  // of an unknown version: pg_restore may know it
    }
    files_[i] = std::move(head);
  }
}

const MemoryFile* ContentsReader::InMemory(size_t object) const {
  const auto found = files_.find(object);
  return found == files_.end() ? nullptr : found->second.get();
}

void ContentsReader::LoadDefinitions(Storage& storage, const Manifest& manifest, size_t index) {
  const ManifestObject& object = manifest.objects[index];
  if (object.raw_size > LargestInMemory())
    throw Error(ErrorKind::kInvalid,
                fmt::format("the definitions in object \"{}\" are too large", object.name),
                fmt::format("They take {} bytes of memory, at most {} are taken.", object.raw_size,
                            LargestInMemory()));
  const MemoryFile& file = *(files_[index] = std::make_unique<MemoryFile>());
  const std::unique_ptr<Sink> chain = ContentChain(file.Writer(), object, progress_);
  ReadStoredObject(storage, job_.file_name, object, *chain);
  try {
    contents_.definitions = ReadToc(file);
  } catch (const Error&) {
    // A version that is not known here: pg_restore may know it.
  }
}

void ContentsReader::LoadHead(Storage& storage, const Manifest& manifest, size_t index) {
  const ManifestObject& object = manifest.objects[index];
  auto head = std::make_unique<MemoryFile>();
  try {
    contents_.definitions = ReadStoredToc(storage, job_.file_name, object, head->Writer().get());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) throw;
    return;  // of an unknown version: pg_restore gets all of it at once
  }
  files_[index] = std::move(head);
}

// The names of the job's options in the encoding of the archives.
WantedParts ContentsReader::Wanted(PostgresConnection& connection,
                                   const std::string& encoding) const {
  const auto in_archive = [&](const std::vector<std::string>& schemas,
                              const std::vector<std::string>& tables, const char* from) {
    Selection names;
    names.schemas = schemas;
    for (const std::string& table : tables) names.tables.push_back(ParseQualifiedName(table, from));
    return InServerEncoding(connection, names, encoding);
  };
  const RestoreOptions& options = job_.options;
  const Selection only = in_archive(options.schemas, options.tables, "tables");
  const Selection excluded =
      in_archive(options.exclude_schemas, options.exclude_tables, "exclude_tables");
  const Selection without_rows = in_archive({}, options.exclude_table_data, "exclude_table_data");
  return {only.schemas, only.tables, excluded.schemas, excluded.tables, without_rows.tables};
}

void ContentsReader::SelectParts(Storage& storage, const Manifest& manifest,
                                 const WantedParts& wanted,
                                 const std::vector<QualifiedName>& tags) {
  const size_t object = DefinitionsObject(manifest);
  std::optional<ArchiveToc> stored;
  if (!contents_.definitions)
    stored = ReadStoredToc(storage, job_.file_name, manifest.objects[object]);
  const ArchiveToc& toc = stored ? *stored : *contents_.definitions;
  selected_ = pgbackup::SelectParts(CompletedToc(toc, manifest.part_needs, tags), wanted);
  contents_.parts = SelectObjectParts(storage, job_.file_name, manifest, object, toc, selected_,
                                      contents_.tables);
  contents_.wanted = selected_.ids;
  if (selected_.held.empty()) {
    bound_ = {};  // not selected
    return;
  }
  held_back_.tables = contents_.tables;
  held_back_.definitions = contents_.definitions;
  held_back_.wanted = selected_.held;
  held_back_.parts = SelectObjectParts(storage, job_.file_name, manifest, object, toc,
                                       HeldBack(selected_), contents_.tables);
}

std::vector<std::string> ContentsReader::LeftOutInWords() const {
  std::vector<std::string> sentences;
  if (!dangling_grants_.empty())
    sentences.push_back(fmt::format(
        "privileges of roles that were gone when the backup was made were left out: on {}",
        fmt::join(dangling_grants_, ", ")));
  if (!selected_.left_out.empty())
    sentences.push_back(fmt::format(
        "{} foreign keys to tables that were not selected, or come without rows, were left out: {}",
        selected_.left_out.size(), fmt::join(selected_.left_out, ", ")));
  if (!selected_.dependents.empty())
    sentences.push_back(fmt::format("{} objects that need what was excluded were left out: {}",
                                    selected_.dependents.size(),
                                    fmt::join(selected_.dependents, ", ")));
  return sentences;
}

}  // namespace pgbackup
