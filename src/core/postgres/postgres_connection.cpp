#include "core/postgres/postgres_connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "core/base/error.h"
#include "core/base/utf8.h"
#include "core/postgres/recovery_conflict.h"
#include "core/postgres/row_values.h"

namespace pgbackup {
namespace {

constexpr auto kConnectTimeout = std::chrono::seconds(60);  // unless the settings have another

constexpr const char* kLostHint =
    "The server's log says why it ended the session; then start the run again.";
constexpr const char* kUnreachableHint =
    "Check that the server listens where the message says, or name another way in with "
    "pgbackup.dump_conninfo.";
constexpr const char* kAccessHint =
    "Let pg_hba.conf admit this user over the server's own socket, or name another way in with "
    "pgbackup.dump_conninfo, for example 'user=backup passfile=/path/to/pgpass'.";

// libpq's text without line breaks and the "ERROR:  " padding.
std::string OneLine(const char* text) {
  std::string line;
  for (const char* c = text; *c != '\0'; ++c) {
    const bool space = *c == '\n' || *c == '\t' || *c == ' ';
    if (!space)
      line += *c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return ToValidUtf8(line);
}

ErrorKind KindOf(std::string_view sqlstate) {
  if (sqlstate.substr(0, 2) == "28" || sqlstate == "42501") return ErrorKind::kDenied;
  if (sqlstate.substr(0, 2) == "08" || sqlstate.substr(0, 3) == "57P")
    return ErrorKind::kUnavailable;
  if (sqlstate == "3D000") return ErrorKind::kNotFound;
  if (sqlstate == "42P04") return ErrorKind::kAlreadyExists;
  if (sqlstate == "53100") return ErrorKind::kNoSpace;
  if (sqlstate == "55P03") return ErrorKind::kBusy;
  return ErrorKind::kDatabase;
}

std::string Field(const PGresult* result, int code) {
  const char* field = PQresultErrorField(result, code);
  return field == nullptr ? std::string() : ToValidUtf8(field);
}

[[noreturn]] void ThrowResultError(const PGresult* result, const PGconn* connection) {
  const std::string sqlstate = Field(result, PG_DIAG_SQLSTATE);
  const std::string message = Field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (IsRecoveryConflict(PQerrorMessage(connection)))
    throw RecoveryConflict("a session",
                           OneLine(LinesWithoutRowValues(PQerrorMessage(connection)).c_str()));
  if (message.empty() || PQstatus(connection) == CONNECTION_BAD)
    throw Error(ErrorKind::kUnavailable, "the connection to the server was lost",
                OneLine(LinesWithoutRowValues(PQerrorMessage(connection)).c_str()), kLostHint)
        .WithSqlState(kConnectionGone);
  ServerMessage error =
      WithoutRowValues({message, Field(result, PG_DIAG_MESSAGE_DETAIL),
                        Field(result, PG_DIAG_MESSAGE_HINT), Field(result, PG_DIAG_CONTEXT)},
                       sqlstate);
  if (error.detail.empty()) error.detail = OneLine(error.context.c_str());  // the line of a COPY
  const Error told(KindOf(sqlstate), fmt::format("{} (SQLSTATE {})", error.message, sqlstate),
                   std::move(error.detail), std::move(error.hint));
  throw told.kind() == ErrorKind::kUnavailable ? told.WithSqlState(kConnectionGone) : told;
}

// libpq itself has this limit only for connections that block.
std::chrono::seconds ConnectTimeout(const std::string& text) {
  const long seconds = std::strtol(text.c_str(), nullptr, 10);
  return seconds > 0 && seconds < 86400 ? std::chrono::seconds(seconds) : kConnectTimeout;
}

[[noreturn]] void ThrowConnectError(const PGconn* connection, const std::string& database) {
  const std::string why = OneLine(PQerrorMessage(connection));
  const bool denied = PQconnectionNeedsPassword(connection) != 0 ||
                      PQconnectionUsedPassword(connection) != 0 ||
                      why.find("authentication failed") != std::string::npos ||
                      why.find("pg_hba.conf") != std::string::npos ||
                      why.find("no password supplied") != std::string::npos ||
                      why.find("role \"") != std::string::npos;
  const bool missing = why.find("database \"") != std::string::npos &&
                       why.find("does not exist") != std::string::npos;
  const ErrorKind kind = denied    ? ErrorKind::kDenied
                         : missing ? ErrorKind::kNotFound
                                   : ErrorKind::kUnavailable;
  const Error told(kind, fmt::format("could not connect to database \"{}\": {}", database, why), "",
                   denied    ? kAccessHint
                   : missing ? ""
                             : kUnreachableHint);
  throw kind == ErrorKind::kUnavailable ? told.WithSqlState(kCannotConnect) : told;
}

}  // namespace

void QueryResult::Clear::operator()(pg_result* result) const noexcept {
  PQclear(result);
}
int QueryResult::rows() const noexcept {
  return PQntuples(result_.get());
}
bool QueryResult::IsNull(int row, int column) const noexcept {
  return PQgetisnull(result_.get(), row, column) != 0;
}
std::string QueryResult::Text(int row, int column) const {
  return std::string(PQgetvalue(result_.get(), row, column),
                     static_cast<size_t>(PQgetlength(result_.get(), row, column)));
}
std::optional<std::string> QueryResult::OptionalText(int row, int column) const {
  if (IsNull(row, column)) return std::nullopt;
  return Text(row, column);
}
int64_t QueryResult::Integer(int row, int column) const {
  return std::strtoll(PQgetvalue(result_.get(), row, column), nullptr, 10);
}
bool QueryResult::Flag(int row, int column) const {
  return PQgetvalue(result_.get(), row, column)[0] == 't';
}

void PostgresConnection::Close::operator()(pg_conn* connection) const noexcept {
  PQfinish(connection);
}

PostgresConnection::PostgresConnection(const ConnectionSettings& settings,
                                       const Cancellation& cancellation)
    : cancellation_(cancellation), last_notice_(std::make_unique<std::string>()) {
  Connect(settings);
  const int version = server_version();
  try {
    Prepare();
  } catch (const Error&) {
    if (PQstatus(connection_.get()) != CONNECTION_BAD) throw;
    // A timeout that the database sets may be over before it is switched off.
    ConnectionSettings without_timeouts = settings;
    AddTimeoutOptions(&without_timeouts, version);
    Connect(without_timeouts);
    Prepare();
  }
}

void PostgresConnection::Connect(const ConnectionSettings& settings) {
  std::vector<const char*> keywords, values;
  std::string database;
  std::chrono::seconds timeout = kConnectTimeout;
  for (const auto& [keyword, value] : settings) {
    if (keyword == "client_encoding") continue;
    if (keyword == "dbname") database = value;
    if (keyword == "connect_timeout") timeout = ConnectTimeout(value);
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back("client_encoding");
  values.push_back("UTF8");
  keywords.push_back(nullptr);
  values.push_back(nullptr);

  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), /*expand_dbname=*/0));
  if (!connection_) throw Error(ErrorKind::kInternal, "out of memory for a connection");
  PQsetNoticeProcessor(
      connection_.get(),
      [](void* last, const char* text) { *static_cast<std::string*>(last) = text; },
      last_notice_.get());
  const auto until = std::chrono::steady_clock::now() + timeout;
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (PQstatus(connection_.get()) != CONNECTION_BAD && state != PGRES_POLLING_OK &&
         state != PGRES_POLLING_FAILED) {
    cancellation_.ThrowIfCancelled();
    if (std::chrono::steady_clock::now() > until)
      throw Error(ErrorKind::kUnavailable,
                  fmt::format("could not connect to database \"{}\": no answer within {} seconds",
                              database, timeout.count()))
          .WithSqlState(kCannotConnect);
    AwaitSocket(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, 500);
    state = PQconnectPoll(connection_.get());
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) ThrowConnectError(connection_.get(), database);
}

void PostgresConnection::Prepare() {
  if (server_major() >= 17) Execute("SET transaction_timeout = 0");
  if (server_major() >= 14) Execute("SET idle_session_timeout = 0");
  // Names in such a database are bytes of no known encoding and must travel as they are.
  if (ReportedSetting("server_encoding") == "SQL_ASCII") Execute("SET client_encoding = SQL_ASCII");
  Execute("SET statement_timeout = 0");
  Execute("SET idle_in_transaction_session_timeout = 0");
  Execute("SET search_path = pg_catalog");
}

int PostgresConnection::server_version() const noexcept {
  return PQserverVersion(connection_.get());
}

int PostgresConnection::socket() const noexcept {
  return PQsocket(connection_.get());
}

std::string PostgresConnection::ReportedSetting(const std::string& name) const {
  const char* value = PQparameterStatus(connection_.get(), name.c_str());
  return value == nullptr ? std::string() : value;
}

void PostgresConnection::AwaitSocket(short events, int timeout_ms) const {
  pollfd waiting[] = {{socket(), events, 0}, {cancellation_.fd(), POLLIN, 0}};
  poll(waiting, 2, timeout_ms);
}

void PostgresConnection::RequestCancel() noexcept {
  PGcancel* cancel = PQgetCancel(connection_.get());
  char ignored[256];
  if (cancel != nullptr) PQcancel(cancel, ignored, sizeof ignored);
  PQfreeCancel(cancel);
}

void PostgresConnection::ThrowLost() const {
  throw Error(ErrorKind::kUnavailable, "the connection to the server was lost",
              OneLine(PQerrorMessage(connection_.get())), kLostHint)
      .WithSqlState(kConnectionGone);
}

// Until something came; false when the connection is lost. Ends what the server does when
// cancelled.
bool PostgresConnection::AwaitInput() {
  if (cancellation_.IsCancelled()) {
    RequestCancel();
    cancellation_.ThrowIfCancelled();
  }
  AwaitSocket(POLLIN, -1);
  return PQconsumeInput(connection_.get()) != 0;
}

void PostgresConnection::AwaitAnswer() {
  while (PQisBusy(connection_.get()) != 0 && AwaitInput()) {
  }
}

QueryResult PostgresConnection::AwaitResult() {
  AwaitAnswer();
  QueryResult result(PQgetResult(connection_.get()));
  while (PGresult* rest = PQgetResult(connection_.get())) PQclear(rest);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    ThrowResultError(result.get(), connection_.get());
  return result;
}

void PostgresConnection::Send(const std::string& sql,
                              const std::vector<std::optional<std::string>>& parameters) {
  cancellation_.ThrowIfCancelled();
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& parameter : parameters)
    values.push_back(parameter ? parameter->c_str() : nullptr);
  if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) == 0)
    ThrowLost();
}

QueryResult PostgresConnection::Query(const std::string& sql,
                                      const std::vector<std::optional<std::string>>& parameters) {
  Send(sql, parameters);
  return AwaitResult();
}

void PostgresConnection::CopyOut(const std::string& sql,
                                 const std::function<void(std::span<const std::byte>)>& row) {
  Send(sql, {});
  AwaitAnswer();
  const QueryResult begun(PQgetResult(connection_.get()));
  if (PQresultStatus(begun.get()) != PGRES_COPY_OUT)
    ThrowResultError(begun.get(), connection_.get());
  for (;;) {
    char* data = nullptr;
    const int size = PQgetCopyData(connection_.get(), &data, /*async=*/1);
    const std::unique_ptr<char, decltype(&PQfreemem)> owner(data, PQfreemem);
    if (size < 0) break;  // the end, or an error that the result tells
    if (size > 0)
      row(std::as_bytes(std::span(data, static_cast<size_t>(size))));
    else if (!AwaitInput())
      break;
  }
  AwaitResult();
}

void PostgresConnection::Execute(const std::string& sql) {
  Query(sql);
}

void PostgresConnection::BeginCopy(const std::string& sql) {
  cancellation_.ThrowIfCancelled();
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) ThrowLost();
  for (;;) {
    AwaitAnswer();
    const QueryResult result(PQgetResult(connection_.get()));
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COPY_IN) break;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
      ThrowResultError(result.get(), connection_.get());
  }
  if (PQsetnonblocking(connection_.get(), 1) != 0) ThrowLost();
}

// Nothing stays in libpq's buffer, which would grow without bound.
void PostgresConnection::FlushCopy() {
  for (;;) {
    const int unsent = PQflush(connection_.get());
    if (unsent < 0) ThrowLost();
    if (unsent == 0) return;
    cancellation_.ThrowIfCancelled();
    AwaitSocket(POLLIN | POLLOUT, -1);
    if (PQconsumeInput(connection_.get()) == 0) ThrowLost();
  }
}

void PostgresConnection::WriteCopy(std::span<const std::byte> rows) {
  constexpr size_t kPiece = 256 << 10;
  while (!rows.empty()) {
    cancellation_.ThrowIfCancelled();
    const std::span<const std::byte> piece = rows.first(std::min(rows.size(), kPiece));
    const int taken = PQputCopyData(connection_.get(), reinterpret_cast<const char*>(piece.data()),
                                    static_cast<int>(piece.size()));
    if (taken < 0) ThrowLost();
    if (taken > 0) rows = rows.subspan(piece.size());
    FlushCopy();
  }
}

void PostgresConnection::EndCopy() {
  int taken = 0;
  while ((taken = PQputCopyEnd(connection_.get(), nullptr)) == 0) FlushCopy();
  if (taken < 0) ThrowLost();
  FlushCopy();
  if (PQsetnonblocking(connection_.get(), 0) != 0) ThrowLost();
  AwaitResult();
}

bool PostgresConnection::ConsumeAndCheck(std::string* why) {
  const bool alive =
      PQconsumeInput(connection_.get()) != 0 && PQstatus(connection_.get()) == CONNECTION_OK;
  PQisBusy(connection_.get());  // parses what came: a backend's last words are a notice here
  if (!alive)
    *why =
        OneLine(last_notice_->empty() ? PQerrorMessage(connection_.get()) : last_notice_->c_str());
  return alive;
}

}  // namespace pgbackup
