// Answers that no S3 API gives: the web pages of consoles, firewalls and login portals that stand
// where a store should be.
#pragma once

#include <string>
#include <string_view>

#include "core/http/http.h"

namespace pgbackup {

// Whether an answer is a web page. Where its body is not at hand (`is_body_unseen`), what decides
// is its type, together with the absence of every header that a store adds.
bool IsWebPage(const HttpResponse& response, bool is_body_unseen) noexcept;

// The first words of a text or a web page, without markup and in one line, at most 123 bytes; may
// be empty. Without characters that a terminal would take for commands.
std::string FirstWords(std::string_view body);

}  // namespace pgbackup
