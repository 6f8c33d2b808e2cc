// The one exception type of the core: what went wrong, where, and what to do next.
//
// A message follows PostgreSQL's style: lower case, no full stop, names the thing. detail and hint
// are whole sentences. The three travel unchanged from where the error is raised to the `message`
// of the run's row, so none of them may hold a secret.
#pragma once

#include <exception>
#include <string>
#include <utility>

#ifdef POSTGRES_H
#error "src/core never sees postgres.h"
#endif

namespace pgbackup {

// What kind of trouble it is. Decides the SQLSTATE, the exit code and whether a retry makes sense.
enum class ErrorKind {
  kInvalid,        // bad input: a name, an option, a URL, a file that is not what it should be
  kNotFound,       // the object, bucket, database or program does not exist
  kAlreadyExists,  // it exists and must not
  kDenied,         // the other side refused: credentials, permissions, authentication
  kUnavailable,    // the other side could not be reached or answered an error that may pass
  kNoSpace,        // a disk or a quota is full
  kCorrupt,        // stored bytes are not the bytes that were written
  kTool,           // pg_dump, pg_restore, … failed
  kDatabase,       // the server answered an error
  kBusy,           // others use the tables: they hold a lock, or were given way to; worth a retry
  kCancelled,      // somebody asked for an end
  kInternal,       // a defect of our own
};

// The five-character SQLSTATE reported for a kind (PostgreSQL appendix A).
const char* SqlState(ErrorKind kind) noexcept;

// The name of a kind in events: "invalid", "not_found", …
const char* KindName(ErrorKind kind) noexcept;

// What to do about an error of a kind when its place of origin knows nothing better: a whole
// sentence.
const char* DefaultHint(ErrorKind kind) noexcept;

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string detail = {}, std::string hint = {})
      : kind_(kind),
        message_(std::move(message)),
        detail_(std::move(detail)),
        hint_(std::move(hint)) {}

  // The same under a SQLSTATE of its own, a literal, where that of the kind would mislead.
  Error WithSqlState(const char* sqlstate) const {
    Error error = *this;
    error.sqlstate_ = sqlstate;
    return error;
  }

  const char* what() const noexcept override { return message_.c_str(); }
  ErrorKind kind() const noexcept { return kind_; }
  const std::string& message() const noexcept { return message_; }
  const std::string& detail() const noexcept { return detail_; }
  const std::string& hint() const noexcept { return hint_; }
  const char* sqlstate() const noexcept { return sqlstate_ ? sqlstate_ : SqlState(kind_); }

 private:
  ErrorKind kind_;
  std::string message_;
  std::string detail_;
  std::string hint_;
  const char* sqlstate_ = nullptr;  // null: that of the kind
};

}  // namespace pgbackup
