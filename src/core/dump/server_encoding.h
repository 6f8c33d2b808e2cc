// Names as pg_dump reads them: in the encoding of the dump, which is the server's.
#pragma once

#include <string>
#include <string_view>

#include "core/dump/selection.h"

namespace pgbackup {

// The selection with every name converted from UTF-8 to `encoding`. The server does it.
Selection InServerEncoding(PostgresConnection& connection, const Selection& selection,
                           const std::string& encoding);

// Whether a name in `encoding` is another text in UTF-8, as far as that can be told.
bool NeedsConversion(const std::string& name, const std::string& encoding);

// A name in `encoding` converted to UTF-8. The server does it.
std::string FromServerEncoding(PostgresConnection& connection, const std::string& name,
                               const std::string& encoding);

// The bytes of a bytea in its hexadecimal text form, "\x0123". kInternal when it is not one.
std::string DecodeHexBytea(std::string_view text);

}  // namespace pgbackup
