#include "core/integrity/archive_contents.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace pgbackup {
namespace {

[[noreturn]] void ThrowOtherContents(const ManifestObject& object, const std::string& what) {
  throw Error(ErrorKind::kCorrupt,
              fmt::format("object \"{}\" is not what the manifest says", object.name), what);
}

bool IsAscii(const QualifiedName& name) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  return std::all_of(name.schema.begin(), name.schema.end(), is_ascii) &&
         std::all_of(name.name.begin(), name.name.end(), is_ascii);
}

bool HasSection(const ManifestObject& object, const char* section) {
  return std::find(object.sections.begin(), object.sections.end(), section) !=
         object.sections.end();
}

void CheckOwnTables(const std::set<QualifiedName>& rows, const ManifestObject& object,
                    bool same_encoding) {
  const std::set<QualifiedName> wanted(object.tables.begin(), object.tables.end());
  for (const QualifiedName& table : wanted)
    if ((same_encoding || IsAscii(table)) && rows.count(table) == 0)
      ThrowOtherContents(object,
                         fmt::format("It lacks the rows of table {}.", QuoteQualifiedName(table)));
  for (const QualifiedName& table : rows)
    if ((same_encoding || IsAscii(table)) && wanted.count(table) == 0)
      ThrowOtherContents(object, fmt::format("It holds rows of table {}, which it should not.",
                                             QuoteQualifiedName(table)));
  if (rows.size() != wanted.size())
    ThrowOtherContents(object, fmt::format("It holds rows of {} tables, it should of {}.",
                                           rows.size(), wanted.size()));
}

}  // namespace

void CheckContents(const ArchiveTables& found, const Manifest& manifest,
                   const ManifestObject& object) {
  const bool same_encoding = manifest.properties.encoding == "UTF8";
  if (!found.definitions.empty() && !HasSection(object, "pre-data"))
    ThrowOtherContents(object, fmt::format("It defines table {}, but should hold no definitions.",
                                           QuoteQualifiedName(*found.definitions.begin())));
  if (!found.rows.empty() && !HasSection(object, "data"))
    ThrowOtherContents(object, fmt::format("It holds rows of table {}, but should hold none.",
                                           QuoteQualifiedName(*found.rows.begin())));
  if (!object.tables.empty()) {
    CheckOwnTables(found.rows, object, same_encoding);
    return;
  }
  for (const ManifestObject& other : manifest.objects)
    for (const QualifiedName& table : other.tables)
      if ((same_encoding || IsAscii(table)) && found.rows.count(table) != 0)
        ThrowOtherContents(object, fmt::format("It holds rows of table {}, which are in {}.",
                                               QuoteQualifiedName(table), other.name));
}

}  // namespace pgbackup
