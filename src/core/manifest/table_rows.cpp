#include "core/manifest/table_rows.h"

#include <fmt/format.h>

namespace pgbackup {

std::string CopyBegin(const QualifiedName& table, const std::vector<std::string>& columns,
                      const std::string& encoding) {
  return fmt::format(
      "SET client_encoding = 'UTF8';\n"
      "SET standard_conforming_strings = on;\n"
      "SET statement_timeout = 0;\n"
      "SET row_security = off;\n"
      "SELECT pg_catalog.set_config('search_path', '', false);\n"
      "COPY {} ({}) FROM stdin WITH (ENCODING {});\n",
      QuoteQualifiedName(table), QuotedList(columns), QuoteLiteral(encoding));
}

}  // namespace pgbackup
