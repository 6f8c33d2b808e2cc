// Reads what pg_restore --verbose writes to standard error when it goes on past errors.
//
//   pg_restore: from TOC entry 3345; 2606 16410 CONSTRAINT t t_pkey owner
//   pg_restore: error: could not execute query: ERROR:  could not create unique index "t_pkey"
//   DETAIL:  Key (a)=(1) is duplicated.
//   Command was: ALTER TABLE ONLY public.t …
//   pg_restore: warning: errors ignored on restore: 1
//
// Only the program itself can write the last line of all this, so that it tells whether the program
// has gone through the whole archive. What the server's messages hold is up to the database's
// owners: they can make an error look like two, but not hide one.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/restore/load/restore_errors.h"

namespace pgbackup {

class PgRestoreLog {
 public:
  static constexpr size_t kMaxLineLength = 2000;  // bytes; the rest of a longer line is dropped
  static constexpr size_t kMostDetailLines = 10;

  explicit PgRestoreLog(std::function<void(RestoreError)> each) : each_(std::move(each)) {}

  void Append(std::string_view text);  // in pieces
  // Call it when there is no more. Whether the program has gone to the end, past errors.
  bool Finish();

 private:
  void TakeLine(std::string_view line);
  void CloseError();

  std::function<void(RestoreError)> each_;
  std::string line_;
  std::string entry_;
  bool is_open_ = false;       // an error, whose further lines follow
  bool in_command_ = false;    // those of the statement
  bool said_ignored_ = false;  // by the last line
  std::string error_;          // the message and its further lines
  size_t detail_lines_ = 0;
};

}  // namespace pgbackup
