#include "core/base/error.h"

namespace pgbackup {

const char* SqlState(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::kInvalid:
      return "22023";  // invalid_parameter_value
    case ErrorKind::kNotFound:
      return "42704";  // undefined_object
    case ErrorKind::kAlreadyExists:
      return "42710";  // duplicate_object
    case ErrorKind::kDenied:
      return "42501";  // insufficient_privilege
    case ErrorKind::kUnavailable:
      return "08006";  // connection_failure
    case ErrorKind::kNoSpace:
      return "53100";  // disk_full
    case ErrorKind::kCorrupt:
      return "XX001";  // data_corrupted
    case ErrorKind::kTool:
      return "38000";  // external_routine_exception
    case ErrorKind::kDatabase:
      return "58000";  // system_error
    case ErrorKind::kCancelled:
      return "57014";  // query_canceled
    case ErrorKind::kInternal:
      break;
  }
  return "XX000";  // internal_error
}

const char* KindName(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kAlreadyExists:
      return "already_exists";
    case ErrorKind::kDenied:
      return "denied";
    case ErrorKind::kUnavailable:
      return "unavailable";
    case ErrorKind::kNoSpace:
      return "no_space";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kTool:
      return "tool";
    case ErrorKind::kDatabase:
      return "database";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kInternal:
      break;
  }
  return "internal";
}

}  // namespace pgbackup
