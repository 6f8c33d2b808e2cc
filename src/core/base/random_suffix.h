// The part of a name that no other session can predict.
#pragma once

#include <string>

#include "core/base/environment.h"

namespace pgbackup {

// Eight hexadecimal digits.
std::string RandomSuffix(Environment& environment);

}  // namespace pgbackup
