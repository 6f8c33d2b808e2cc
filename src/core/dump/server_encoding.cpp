#include "core/dump/server_encoding.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "shared/ascii.h"

namespace pgbackup {
namespace {

[[noreturn]] void ThrowMalformedBytea() {
  throw Error(ErrorKind::kInternal, "the server sent a malformed bytea");
}

std::string Convert(PostgresConnection& connection, const std::string& name,
                    const std::string& encoding) {
  if (!NeedsConversion(name, encoding)) return name;
  return DecodeHexBytea(connection.Query("SELECT convert_to($1, $2)", {name, encoding}).Text(0, 0));
}

}  // namespace

bool NeedsConversion(const std::string& name, const std::string& encoding) {
  const auto is_ascii = [](char c) { return (c & 0x80) == 0; };
  return encoding != "UTF8" && encoding != "SQL_ASCII" &&
         !std::all_of(name.begin(), name.end(), is_ascii);
}

std::string FromServerEncoding(PostgresConnection& connection, const std::string& name,
                               const std::string& encoding) {
  const std::string bytes = "\\x" + ToHex(AsBytes(name));
  return DecodeHexBytea(
      connection
          .Query("SELECT '\\x' || encode(convert($1::bytea, $2, 'UTF8'), 'hex')", {bytes, encoding})
          .Text(0, 0));
}

std::string DecodeHexBytea(std::string_view text) {
  if (text.substr(0, 2) != "\\x" || text.size() % 2 != 0) ThrowMalformedBytea();
  std::string bytes;
  for (size_t i = 2; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]), low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) ThrowMalformedBytea();
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

Selection InServerEncoding(PostgresConnection& connection, const Selection& selection,
                           const std::string& encoding) {
  Selection converted = selection;
  for (std::string& schema : converted.schemas) schema = Convert(connection, schema, encoding);
  for (auto* names : {&converted.tables, &converted.exclude_tables, &converted.exclude_table_data})
    for (QualifiedName& name : *names)
      name = {Convert(connection, name.schema, encoding), Convert(connection, name.name, encoding)};
  return converted;
}

}  // namespace pgbackup
