// The table of contents of a custom-format archive, as pg_dump writes it at its head.
//
// pg_restore's own listing cannot be read back safely: names with spaces run into each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pgbackup {

enum class TocSection { kNone = 1, kPreData, kData, kPostData };  // as the archive counts them

struct TocEntry {
  int64_t id = 0;
  std::string kind;                 // "TABLE", "TABLE DATA", "FK CONSTRAINT", …
  std::string tag;                  // the name, for dependent things "table name"
  std::string schema;               // empty when it is in none
  std::vector<int64_t> depends_on;  // ids, some of them not in the archive
  // Comments and privileges have none of their own: it is that of the entry before them, which is
  // how pg_restore takes it.
  TocSection section = TocSection::kNone;
  // Its SQL has a statement ALTER TABLE, which takes stronger locks than CREATE INDEX does.
  bool alters_table = false;
  // Its SQL calls a function that runs a query it is given as text, and gives XML.
  bool queries_by_text = false;
  std::string copy{};  // of TABLE DATA: its statement COPY … FROM stdin, in the dump's encoding
  std::string owner = {};
  std::string tablespace = {};
  std::string privileges = {};  // the SQL of what names roles beside the owner: grants, policies
  bool has_data = false;        // rows or large objects of it are in the archive
  // In the database that was dumped; which catalog it is of, the kind tells. 0: it has none.
  uint32_t oid = 0;
  // Of TABLE DATA of a partition whose rows are to find their partitions anew: its root, as the
  // statement COPY names it.
  std::string root = {};
  std::string routine = {};  // of a function or procedure: its SQL
};

struct ArchiveToc {
  std::vector<TocEntry> entries;  // in the archive's order
};

}  // namespace pgbackup
