// What a terminal may be sent of texts that others wrote.
//
// Names, labels and messages come from manifests, servers and stores, so from anyone who can write
// there. In them, control characters could move the cursor, change the title, or answer in the name
// of who reads, and marks of direction could show a text as another one. Everything that a command
// prints passes here (console.h).
#pragma once

#include <string>
#include <string_view>

namespace pgbackup {

// `text` in valid UTF-8 with "?" for each control character (C0, DEL, C1) but line feed and tab,
// and for each character that changes the direction of text or separates lines.
std::string Printable(std::string_view text);

// The same for what has to stay in one line: line feeds and tabs become blanks.
std::string PrintableInLine(std::string_view text);

// JSON, as it is serialized, with those characters as \uXXXX, so that it stays the same value.
std::string PrintableJson(std::string_view json);

}  // namespace pgbackup
