// Credentials from a program: credential_process in a profile of the AWS tools.
//
// The command is split into words and started without a shell; it writes a JSON object (Version 1)
// to its standard output. What it writes to standard error is dropped, because it may be a secret.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/aws/credentials.h"

namespace pgbackup {

// Splits at blanks. Quotes, single or double, keep a word together; in double quotes a backslash
// makes the next quote or backslash plain. Nothing is expanded. kInvalid for an open quote.
std::vector<std::string> SplitCommand(const std::string& command);

// Runs the command, whose program is a path or in the PATH, and reads what it prints. Throws Error
// naming the program, not its arguments; kCancelled when one of `cancellations` is set.
Credentials RunCredentialProcess(const std::string& command, const Environment& environment,
                                 std::chrono::milliseconds timeout,
                                 const Cancellations& cancellations);

}  // namespace pgbackup
