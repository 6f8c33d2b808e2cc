// The value of pgbackup.encryption_recipients: "age1…, age1…".
//
// Used by the server module's check hook too: no exceptions, no allocation.
#pragma once

#include <string_view>

namespace pgbackup {

// Takes the first item off *rest, a list separated by commas, without the blanks around it. False
// after the last one. "a," has a second item, which is empty.
bool NextRecipient(std::string_view* rest, std::string_view* recipient) noexcept;

// Whether `text` is an age recipient of the kind X25519.
bool IsRecipient(std::string_view text) noexcept;

// Whether every item of the list is one, of which there may be none. On failure *bad is the first
// that is not.
bool CheckRecipientList(std::string_view list, std::string_view* bad) noexcept;

}  // namespace pgbackup
