#include "core/restore/restore_contents.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/archive/toc_reader.h"
#include "core/base/error.h"
#include "core/dump/server_encoding.h"
#include "core/restore/stored_object.h"
#include "core/restore/stored_toc.h"

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
  for (const ManifestObject& object : manifest.objects) {
    Selection names;
    names.tables = object.tables;
    contents_.tables.push_back(InServerEncoding(connection, names, encoding).tables);
    if (IsDefinitions(object)) LoadDefinitions(storage, object);
    if (IsWholeArchive(object)) LoadHead(storage, object);
  }
  const WantedParts wanted = Wanted(connection, encoding);
  if (job_.options.ChoosesParts()) SelectParts(storage, manifest, wanted);
}

void ContentsReader::LoadDefinitions(Storage& storage, const ManifestObject& object) {
  if (object.raw_size > LargestInMemory())
    throw Error(ErrorKind::kInvalid,
                fmt::format("the definitions in object \"{}\" are too large", object.name),
                fmt::format("They take {} bytes of memory, at most {} are taken.", object.raw_size,
                            LargestInMemory()));
  definitions_ = std::make_unique<MemoryFile>();
  const std::unique_ptr<Sink> chain = ContentChain(definitions_->Writer(), object, progress_);
  ReadStoredObject(storage, job_.file_name, object, *chain);
  try {
    contents_.definitions = ReadToc(*definitions_);
  } catch (const Error&) {
    // A version that is not known here: pg_restore may know it.
  }
}

void ContentsReader::LoadHead(Storage& storage, const ManifestObject& object) {
  auto head = std::make_unique<MemoryFile>();
  try {
    contents_.definitions = ReadStoredToc(storage, job_.file_name, object, head->Writer().get());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) throw;
    return;  // of an unknown version: pg_restore gets all of it at once
  }
  definitions_ = std::move(head);
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
  return {only.schemas, only.tables, excluded.schemas, excluded.tables};
}

void ContentsReader::SelectParts(Storage& storage, const Manifest& manifest,
                                 const WantedParts& wanted) {
  const size_t object = DefinitionsObject(manifest);
  std::optional<ArchiveToc> stored;
  if (!contents_.definitions)
    stored = ReadStoredToc(storage, job_.file_name, manifest.objects[object]);
  const ArchiveToc& toc = stored ? *stored : *contents_.definitions;
  selected_ = pgbackup::SelectParts(toc, wanted);
  contents_.parts = SelectObjectParts(storage, job_.file_name, manifest, object, toc, selected_,
                                      contents_.tables);
  contents_.wanted = selected_.ids;
}

}  // namespace pgbackup
