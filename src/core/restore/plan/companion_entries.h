// Entries of an archive that others use without depending on them. Pure.
//
// A cast in an expression leaves only the cast's function behind in the catalogs, or nothing, and a
// type's default operator class is found by the type wherever values are sorted. The body of a
// function is a text. So what was selected has such companions:
//   - the casts, operators, operator classes and operator families of its types and domains, the
//     casts whose functions it has, and the operator classes of its operators,
//   - casts between types that are built in,
//   - functions, types, collations and text search objects that the bodies of its functions name.
// A companion that would bring a table, view or sequence does not come.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/archive/archive_toc.h"

namespace pgbackup {

bool IsRelation(const TocEntry& entry);

class CompanionEntries {
 public:
  explicit CompanionEntries(const ArchiveToc& toc);  // which outlives it

  // Those of what is selected that are not selected yet, without what they need in turn.
  std::vector<const TocEntry*> Of(const std::set<int64_t>& selected);

 private:
  bool IsCompanion(const TocEntry& entry, const std::set<int64_t>& selected) const;
  bool BringsRelation(const TocEntry& entry, const std::set<int64_t>& selected) const;
  void AddNamedIn(const TocEntry& routine, std::set<int64_t>* named) const;

  std::map<int64_t, const TocEntry*> by_id_;
  std::vector<const TocEntry*> candidates_;  // casts and what belongs to operators
  std::vector<const TocEntry*> routines_;    // with a body
  std::map<std::string, std::vector<const TocEntry*>> by_name_;
  std::set<int64_t> read_;  // routines whose body has been looked at
};

}  // namespace pgbackup
