#include "pg/valid_text.h"

namespace pgbackup {
namespace {

constexpr const char* kUnknownCharacter = "\xEF\xBF\xBD";  // U+FFFD

int TextEncoding() {
  const int encoding = GetDatabaseEncoding();
  return encoding == PG_SQL_ASCII ? PG_UTF8 : encoding;
}

// The length of the character at the start of `text`, of which `size` bytes are left; 0 when there
// is none.
int CharacterLength(int encoding, const char* text, int size) {
  const int length = pg_encoding_verifymbchar(encoding, text, size);
  return length > 0 && length <= size ? length : 0;
}

// Converts from an encoding other than UTF-8 as far as that goes; returns how many bytes of the
// text that took. The server's own function raises an error at the first character that UTF-8
// lacks.
int ConvertStart(Oid conversion, const char* text, int size, char* utf8, Size room) {
  return pg_do_encoding_conversion_buf(conversion, TextEncoding(), PG_UTF8,
                                       reinterpret_cast<unsigned char*>(const_cast<char*>(text)),
                                       size, reinterpret_cast<unsigned char*>(utf8),
                                       static_cast<int>(Min(room, static_cast<Size>(INT_MAX))),
                                       true);
}

// The server's function converts less where there is no room for a character more.
Size RoomFor(int size) {
  return (static_cast<Size>(size) + 1) * MAX_CONVERSION_GROWTH + 1;
}

char* Convert(Oid conversion, const char* text) {
  const int size = static_cast<int>(strlen(text));
  char* part = static_cast<char*>(palloc(RoomFor(size)));
  StringInfoData utf8;
  initStringInfo(&utf8);
  for (int at = 0; at < size;) {
    at += ConvertStart(conversion, text + at, size - at, part, RoomFor(size));
    appendStringInfoString(&utf8, part);
    if (at >= size) break;
    appendStringInfoString(&utf8, kUnknownCharacter);
    at += Max(1, CharacterLength(TextEncoding(), text + at, size - at));
  }
  pfree(part);
  return utf8.data;
}

bool IsConvertible(const char* text, int size) {
  const Oid conversion = FindDefaultConversionProc(TextEncoding(), PG_UTF8);
  if (!OidIsValid(conversion)) return true;
  char* utf8 = static_cast<char*>(palloc(RoomFor(size)));
  const bool all = ConvertStart(conversion, text, size, utf8, RoomFor(size)) == size;
  pfree(utf8);
  return all;
}

// Whether all of it is text and, for it is written as UTF-8, has a counterpart there.
bool IsValid(const char* text, int size) {
  if (!pg_verify_mbstr(TextEncoding(), text, size, true)) return false;
  return TextEncoding() == PG_UTF8 || IsConvertible(text, size);
}

}  // namespace

char* ValidText(const char* text, const char* replacement) {
  const int encoding = TextEncoding();
  StringInfoData valid;
  initStringInfo(&valid);
  int left = static_cast<int>(strlen(text));
  while (left > 0) {
    const int length = CharacterLength(encoding, text, left);
    const int taken = Max(1, length);
    if (length > 0 && IsValid(text, length))
      appendBinaryStringInfo(&valid, text, length);
    else
      appendStringInfoString(&valid, replacement);
    text += taken;
    left -= taken;
  }
  return valid.data;
}

bool IsValidText(const char* text) {
  return IsValid(text, static_cast<int>(strlen(text)));
}

char* ToUtf8(const char* text) {
  if (TextEncoding() == PG_UTF8) return ValidText(text, kUnknownCharacter);
  const Oid conversion = FindDefaultConversionProc(TextEncoding(), PG_UTF8);
  if (OidIsValid(conversion)) return Convert(conversion, text);
  return pg_server_to_any(text, static_cast<int>(strlen(text)), PG_UTF8);
}

}  // namespace pgbackup
