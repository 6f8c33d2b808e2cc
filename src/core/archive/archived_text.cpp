#include "core/archive/archived_text.h"

namespace pgbackup {

std::string ArchivedText(std::string_view text, int integer_size) {
  std::string bytes(1, '\0');
  size_t length = text.size();
  for (int i = 0; i < integer_size; ++i, length >>= 8) bytes += static_cast<char>(length & 0xff);
  return bytes.append(text);
}

}  // namespace pgbackup
