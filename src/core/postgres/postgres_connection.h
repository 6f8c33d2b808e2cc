// One connection to the server, and what it answers.
//
// Every failure is an Error with the server's own message, detail and hint. All waits end when the
// run is cancelled. One thread at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/postgres/server_address.h"

struct pg_conn;
struct pg_result;

namespace pgbackup {

class QueryResult {
 public:
  explicit QueryResult(pg_result* result) : result_(result) {}

  int rows() const noexcept;
  bool IsNull(int row, int column) const noexcept;
  std::string Text(int row, int column) const;  // empty when null
  std::optional<std::string> OptionalText(int row, int column) const;
  int64_t Integer(int row, int column) const;  // 0 when null
  bool Flag(int row, int column) const;
  pg_result* get() const noexcept { return result_.get(); }

 private:
  struct Clear {
    void operator()(pg_result* result) const noexcept;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

// SQLSTATEs of a server that cannot be reached, or no longer. Not that of kUnavailable, 08006,
// which health() takes for the storage's.
inline constexpr const char* kCannotConnect =
    "08001";  // sqlclient_unable_to_establish_sqlconnection
inline constexpr const char* kConnectionGone = "08003";  // connection_does_not_exist

class PostgresConnection {
 public:
  // Connects, with client_encoding UTF8 and no settings of the database or the role that could end
  // a long run.
  // `cancellation` outlives the connection.
  PostgresConnection(const ConnectionSettings& settings, const Cancellation& cancellation);

  // Runs one statement with $1, $2, … and returns its rows.
  QueryResult Query(const std::string& sql,
                    const std::vector<std::optional<std::string>>& parameters = {});

  // Runs one statement without parameters, rows thrown away.
  void Execute(const std::string& sql);

  // Runs a COPY … TO STDOUT and hands over what comes, row by row. What `row` throws ends the COPY
  // and passes through; the connection cannot be used afterwards.
  void CopyOut(const std::string& sql, const std::function<void(std::span<const std::byte>)>& row);

  // COPY … FROM stdin: begin it, write rows in pieces of any size, end it. EndCopy returns when the
  // server has committed them. A COPY that is not ended leaves no row: it ends with the connection.
  // `sql` may hold other statements before its COPY. An error of the server that rows have caused
  // comes from EndCopy.
  void BeginCopy(const std::string& sql);
  void WriteCopy(std::span<const std::byte> rows);
  void EndCopy();

  int server_version() const noexcept;  // e.g. 150020
  int server_major() const noexcept { return server_version() / 10000; }

  // A setting the server reports by itself, e.g. server_encoding; empty when it does not.
  std::string ReportedSetting(const std::string& name) const;

  // For watching: the socket, and whether the connection still lives, reading what has come.
  // `why` gets the reason when it does not.
  int socket() const noexcept;
  bool ConsumeAndCheck(std::string* why);

 private:
  struct Close {
    void operator()(pg_conn* connection) const noexcept;
  };
  void Connect(const ConnectionSettings& settings);
  void Prepare();
  void AwaitSocket(short events, int timeout_ms) const;
  void RequestCancel() noexcept;
  void Send(const std::string& sql, const std::vector<std::optional<std::string>>& parameters);
  bool AwaitInput();
  void AwaitAnswer();
  QueryResult AwaitResult();
  void FlushCopy();
  [[noreturn]] void ThrowLost() const;

  const Cancellation& cancellation_;
  std::unique_ptr<std::string> last_notice_;
  std::unique_ptr<pg_conn, Close> connection_;
};

}  // namespace pgbackup
