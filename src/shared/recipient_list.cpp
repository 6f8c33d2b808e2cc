#include "shared/recipient_list.h"

#include "shared/bech32.h"
#include "shared/trim.h"

namespace pgbackup {

bool NextRecipient(std::string_view* rest, std::string_view* recipient) noexcept {
  if (rest->data() == nullptr) return false;
  const size_t comma = rest->find(',');
  *recipient = TrimBlanks(rest->substr(0, comma));
  if (comma == std::string_view::npos) {
    *rest = {};
    return true;
  }
  rest->remove_prefix(comma + 1);
  return true;
}

bool IsRecipient(std::string_view text) noexcept {
  std::array<std::byte, 32> key;
  return KeyFromBech32(text, kRecipientPrefix, key);
}

bool CheckRecipientList(std::string_view list, std::string_view* bad) noexcept {
  if (TrimBlanks(list).empty()) return true;
  while (NextRecipient(&list, bad))
    if (!IsRecipient(*bad)) return false;
  return true;
}

}  // namespace pgbackup
