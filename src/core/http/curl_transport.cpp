#include "core/http/curl_transport.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "core/http/http_headers.h"

namespace pgbackup {
namespace {

using Clock = std::chrono::steady_clock;

constexpr long kConnectTimeoutSeconds = 10;
constexpr long kBufferBytes = 256L << 10;
constexpr size_t kLongestBody = 16u << 20;

void InitializeOnce() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw Error(ErrorKind::kInternal, "could not initialize libcurl");
}

// Whether a handshake was not refused, but its connection ended: a load balancer that restarts,
// say. libcurl has one code for both.
bool EndedInHandshake(CURLcode code, std::string_view text) {
  if (code != CURLE_SSL_CONNECT_ERROR) return false;
  for (const std::string_view words : {"Connection reset", "SSL_ERROR_SYSCALL", "unexpected eof",
                                       "Broken pipe", "non-properly terminated"})
    if (text.find(words) != std::string_view::npos) return true;
  return false;
}

TransportFailure FailureOf(CURLcode code, std::string_view text) {
  if (EndedInHandshake(code, text)) return TransportFailure::kConnect;
  if (text.find("HTTP/0.9") != std::string_view::npos) return TransportFailure::kNotHttp;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return TransportFailure::kResolve;
    case CURLE_COULDNT_CONNECT:
      return TransportFailure::kConnect;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
      return TransportFailure::kTls;
    case CURLE_OPERATION_TIMEDOUT:
      return TransportFailure::kStalled;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_NOT_BUILT_IN:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_OUT_OF_MEMORY:
      return TransportFailure::kImpossible;
    default:
      return TransportFailure::kBroken;
  }
}

// The state of one exchange, as the callbacks see it.
struct Exchange {
  const HttpRequest& request;
  CURL* easy;
  HttpResponse response;
  size_t sent = 0;
  Clock::time_point last_activity = Clock::now();
  std::exception_ptr thrown;
  int begun = 0;  // how often the request was about to be sent
};

size_t OnRead(char* buffer, size_t size, size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const auto left = exchange.request.body.subspan(exchange.sent);
  size_t taken = std::min(size * count, left.size());
  if (exchange.request.pace && taken > 0) {
    try {
      taken = exchange.request.pace(taken);
    } catch (...) {
      exchange.thrown = std::current_exception();
      return CURL_READFUNC_ABORT;
    }
  }
  if (taken > 0) memcpy(buffer, left.data(), taken);
  exchange.sent += taken;
  exchange.last_activity = Clock::now();
  return taken;
}

// When a connection that is used again ends without an answer, libcurl sends the request once more
// by itself, although the server may have done what it asks for: that is for the caller to decide.
int OnRequest(void* context, char*, char*, int, int) {
  auto& exchange = *static_cast<Exchange*>(context);
  return ++exchange.begun > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

int OnSeek(void* context, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (origin != SEEK_SET || offset < 0 ||
      static_cast<size_t>(offset) > exchange.request.body.size())
    return CURL_SEEKFUNC_FAIL;
  exchange.sent = static_cast<size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

size_t OnHeader(char* data, size_t size, size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  exchange.last_activity = Clock::now();
  try {
    TakeHeaderLine(std::string_view(data, size * count), &exchange.response.headers);
  } catch (...) {
    exchange.thrown = std::current_exception();
    return 0;
  }
  return size * count;
}

size_t OnBody(char* data, size_t size, size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const size_t length = size * count;
  long status = 0;
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  try {
    if (exchange.request.on_body && status >= 200 && status < 300)
      exchange.request.on_body(exchange.response, std::as_bytes(std::span(data, length)));
    else if (exchange.response.body.size() < kLongestBody)
      exchange.response.body.append(data, length);
  } catch (...) {
    exchange.thrown = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
  exchange.last_activity = Clock::now();
  return length;
}

struct FreeHeaders {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeHeaders>;

HeaderList MakeHeaderList(const HttpHeaders& headers) {
  HeaderList list;
  const auto append = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    [[maybe_unused]] curl_slist* same = list.release();
    list.reset(longer);
  };
  for (const auto& [name, value] : headers)
    append(value.empty() ? name + ";" : name + ": " + value);
  append("Expect:");  // no round trip before the body
  append("Accept:");
  return list;
}

}  // namespace

// A curl handle and the multi handle that drives it and owns its connection.
class CurlTransport::Connection {
 public:
  Connection() : easy_(curl_easy_init()), multi_(curl_multi_init()) {
    if (easy_ == nullptr || multi_ == nullptr) {
      Free();
      throw Error(ErrorKind::kInternal, "could not make a libcurl handle");
    }
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { Free(); }

  HttpResponse Perform(const HttpRequest& request, const Route& route);

 private:
  void Configure(Exchange& exchange, const HeaderList& headers, const Route& route);
  CURLcode Drive(Exchange& exchange);
  bool IsProxyFailure(CURLcode result) const;
  void Free() {
    if (easy_ != nullptr) curl_easy_cleanup(easy_);
    if (multi_ != nullptr) curl_multi_cleanup(multi_);
  }

  CURL* easy_;
  CURLM* multi_;
  char error_text_[CURL_ERROR_SIZE] = "";
};

void CurlTransport::Connection::Configure(Exchange& exchange, const HeaderList& headers,
                                          const Route& route) {
  const HttpRequest& request = exchange.request;
  curl_easy_reset(easy_);  // keeps the connection
  error_text_[0] = '\0';
  const auto set = [this](CURLoption option, auto value) {
    if (curl_easy_setopt(easy_, option, value) != CURLE_OK)
      throw Error(ErrorKind::kInternal,
                  "could not set libcurl option " + std::to_string(static_cast<int>(option)));
  };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_USERAGENT, "pgbackup/" PGBACKUP_VERSION);
  set(CURLOPT_ERRORBUFFER, error_text_);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_CONNECTTIMEOUT, kConnectTimeoutSeconds);
  if (request.timeout.count() > 0)
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  set(CURLOPT_BUFFERSIZE, kBufferBytes);
  set(CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
#if LIBCURL_VERSION_NUM >= 0x075500
  set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  const char* const authorities =
      !route.ca_file.empty() ? route.ca_file.c_str() : curl_version_info(CURLVERSION_NOW)->cainfo;
  if (authorities != nullptr) set(CURLOPT_CAINFO, authorities);
  if (!route.ca_file.empty()) set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  // Both are set in any case: else the environment would decide.
  set(CURLOPT_PROXY, route.proxy.c_str());
  set(CURLOPT_NOPROXY, request.no_proxy ? "*" : "");
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (route.proxy.rfind("https://", 0) == 0) {
    set(CURLOPT_PROXY_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    set(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    if (authorities != nullptr) set(CURLOPT_PROXY_CAINFO, authorities);
  }
  set(CURLOPT_PREREQFUNCTION, OnRequest);
  set(CURLOPT_PREREQDATA, &exchange);
  set(CURLOPT_HEADERFUNCTION, OnHeader);
  set(CURLOPT_HEADERDATA, &exchange);
  set(CURLOPT_WRITEFUNCTION, OnBody);
  set(CURLOPT_WRITEDATA, &exchange);

  const bool has_body =
      !request.body.empty() || request.method == "PUT" || request.method == "POST";
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (has_body) {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_READFUNCTION, OnRead);
    set(CURLOPT_READDATA, &exchange);
    set(CURLOPT_SEEKFUNCTION, OnSeek);
    set(CURLOPT_SEEKDATA, &exchange);
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  } else if (request.method != "GET") {
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

CURLcode CurlTransport::Connection::Drive(Exchange& exchange) {
  const HttpRequest& request = exchange.request;
  std::vector<curl_waitfd> also;
  for (const Cancellation* cancellation : request.cancellations)
    also.push_back({cancellation->fd(), CURL_WAIT_POLLIN, 0});
  for (;;) {
    int running = 0;
    if (curl_multi_perform(multi_, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left))
      if (message->msg == CURLMSG_DONE) return message->data.result;
    for (const Cancellation* cancellation : request.cancellations)
      if (cancellation->IsCancelled()) {
#if LIBCURL_VERSION_NUM >= 0x075700
        curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);  // do not wait for a slow name server
#endif
        throw TransportError(TransportFailure::kCancelled, "cancelled");
      }
    const auto idle = Clock::now() - exchange.last_activity;
    if (idle >= request.stall_timeout) {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(idle).count();
      throw TransportError(TransportFailure::kStalled,
                           "no byte moved for " + std::to_string(ms) + " ms");
    }
    const auto patience =
        std::chrono::duration_cast<std::chrono::milliseconds>(request.stall_timeout - idle).count();
    const int wait = static_cast<int>(std::clamp<long long>(patience + 1, 1, 1000));
    if (curl_multi_poll(multi_, also.data(), static_cast<unsigned>(also.size()), wait, nullptr) !=
        CURLM_OK)
      return CURLE_FAILED_INIT;
  }
}

// Whether an exchange that was to go through a proxy failed there.
bool CurlTransport::Connection::IsProxyFailure(CURLcode result) const {
  long answer_to_connect = 0;
  curl_easy_getinfo(easy_, CURLINFO_HTTP_CONNECTCODE, &answer_to_connect);
  return result == CURLE_COULDNT_RESOLVE_PROXY || result == CURLE_COULDNT_CONNECT ||
         result == CURLE_PROXY || answer_to_connect >= 300;
}

HttpResponse CurlTransport::Connection::Perform(const HttpRequest& request, const Route& route) {
  Exchange exchange{request, easy_, {}, 0, Clock::now(), nullptr, 0};
  const HeaderList headers = MakeHeaderList(request.headers);
  Configure(exchange, headers, route);
  if (curl_multi_add_handle(multi_, easy_) != CURLM_OK)
    throw Error(ErrorKind::kInternal, "could not start a libcurl transfer");
  struct Removal {
    CURLM* multi;
    CURL* easy;
    ~Removal() { curl_multi_remove_handle(multi, easy); }
  } removal{multi_, easy_};
  const CURLcode result = Drive(exchange);
  if (exchange.thrown) std::rethrow_exception(exchange.thrown);
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.begun > 1)
    throw TransportError(TransportFailure::kBroken, "the connection ended without an answer");
  if (result != CURLE_OK) {
    // A store may refuse an upload and close before it has taken all of it: that is an answer.
    const bool refused = status >= 300 && exchange.sent < request.body.size() &&
                         (result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR);
    TransportFailure failure = FailureOf(result, error_text_);
    if (!route.proxy.empty() && !request.no_proxy && IsProxyFailure(result))
      failure = TransportFailure::kProxy;
    // A timeout before the connection stood is the connection's.
    curl_off_t connected = 0;
    curl_easy_getinfo(easy_, CURLINFO_CONNECT_TIME_T, &connected);
    if (failure == TransportFailure::kStalled && connected == 0 && status == 0)
      failure = TransportFailure::kConnect;
    if (!refused)
      throw TransportError(failure,
                           error_text_[0] != '\0' ? error_text_ : curl_easy_strerror(result));
  }
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

CurlTransport::CurlTransport(std::string ca_file, std::string proxy)
    : route_{std::move(ca_file), std::move(proxy)} {
  InitializeOnce();
}

CurlTransport::~CurlTransport() = default;

std::unique_ptr<CurlTransport::Connection> CurlTransport::TakeConnection() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return std::make_unique<Connection>();
}

void CurlTransport::PutBack(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
}

HttpResponse CurlTransport::Perform(const HttpRequest& request) {
  auto connection = TakeConnection();
  HttpResponse response = connection->Perform(request, route_);
  PutBack(std::move(connection));  // only one that went well is used again
  return response;
}

}  // namespace pgbackup
