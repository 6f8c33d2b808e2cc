// Errors as tests look at them.
#pragma once

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace pgbackup {

// Runs `action`, which must throw Error, and returns that.
template <typename Action>
Error ErrorOf(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorKind::kInternal, "nothing was thrown");
}

}  // namespace pgbackup
