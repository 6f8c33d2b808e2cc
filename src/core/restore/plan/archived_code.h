// What of a backup calls code that is not built into the server while it is restored. Pure.
//
// The manifest records it (user_code.h). Of a backup without the record, made by an older pgbackup,
// everything may, unless its definitions have no code at all and no extension that brings some.
#pragma once

#include <map>
#include <optional>

#include "core/archive/archive_toc.h"
#include "core/manifest/manifest.h"

namespace pgbackup {

class ArchivedCode {
 public:
  // `definitions` are the backup's; none when they could not be read. Both outlive this.
  ArchivedCode(const Manifest& manifest, const std::optional<ArchiveToc>& definitions);

  // Which other rows have to be there before those of a table are loaded.
  enum class Needs { kNothing, kExtensions, kEverything };
  Needs OfRows(uint32_t table_oid) const;
  Needs OfRows(const QualifiedName& table) const;  // in the archives' encoding
  bool AnyNeedsEverything() const;

  // Whether an entry of the post-data may be built as soon as the rows of its table are there.
  bool MayBeEarly(const TocEntry& entry) const { return user_code_ ? !Calls(entry) : !is_unknown_; }

  // Whether building what the entry defines is known to call such code or, of a materialized view,
  // not known not to.
  bool Calls(const TocEntry& entry) const;

 private:
  const std::optional<UserCode>& user_code_;
  bool is_unknown_ = false;  // without a record
  std::map<QualifiedName, uint32_t> oids_;
};

}  // namespace pgbackup
