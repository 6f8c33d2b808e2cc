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
    case ErrorKind::kBusy:
      return "55P03";  // lock_not_available
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
    case ErrorKind::kBusy:
      return "busy";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kInternal:
      break;
  }
  return "internal";
}

const char* DefaultHint(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::kInvalid:
    case ErrorKind::kNotFound:
    case ErrorKind::kAlreadyExists:
      return "Correct what the message names, then start the run again.";
    case ErrorKind::kDenied:
      return "Give the permission that is missing, then start the run again.";
    case ErrorKind::kUnavailable:
      return "Start the run again once the other side answers; its own log says more.";
    case ErrorKind::kNoSpace:
      return "Make room, then start the run again.";
    case ErrorKind::kCorrupt:
      return "Use another backup, and find out what changed the stored objects.";
    case ErrorKind::kTool:
      return "The program's own words are in the detail and in the server's log: mend what they "
             "name, then start the run again.";
    case ErrorKind::kDatabase:
      return "The server's log says more: mend what it names, then start the run again.";
    case ErrorKind::kBusy:
      return "Start the run again when fewer sessions use the tables.";
    case ErrorKind::kCancelled:
      return "Start the run again.";
    case ErrorKind::kInternal:
      break;
  }
  return "This is a defect of pgbackup: please report it together with the server's log.";
}

}  // namespace pgbackup
