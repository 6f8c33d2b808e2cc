// Names of databases and roles are shared by all databases and have the bytes that the encoding of
// one of them gave them: in another they may be no text at all.
#pragma once

#include "pg/server.h"

namespace pgbackup {

// The text with `replacement` in the place of each byte that is no part of a character of this
// database's encoding. In SQL_ASCII, which has none, the text counts as UTF-8. Palloc'd.
char* ValidText(const char* text, const char* replacement);

// Whether that would be the text itself.
bool IsValidText(const char* text);

// The text in UTF-8, always well-formed: U+FFFD stands for what is no text, or is no character
// there. Palloc'd.
char* ToUtf8(const char* text);

}  // namespace pgbackup
