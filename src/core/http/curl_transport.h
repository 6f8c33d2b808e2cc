// HTTP by libcurl: persistent connections, TLS 1.2 or newer, always verified.
//
// Connections are kept between exchanges, one per concurrent caller. libcurl never touches signals
// here; the program ignores SIGPIPE. The certificate authorities are those of `ca_file`, else the
// system's as compiled into libcurl. Requests go through `proxy` if there is one. The environment
// has no say in either. Requests that do not name a User-Agent are sent as pgbackup/VERSION.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/http/http.h"

namespace pgbackup {

class CurlTransport final : public Transport {
 public:
  // `ca_file`: PEM bundle that replaces the system's, or empty. `proxy`: as CheckProxy takes it;
  // empty for none.
  explicit CurlTransport(std::string ca_file = {}, std::string proxy = {});
  ~CurlTransport() override;

  HttpResponse Perform(const HttpRequest& request) override;

 private:
  // How the store is reached.
  struct Route {
    std::string ca_file, proxy;
  };
  class Connection;

  std::unique_ptr<Connection> TakeConnection();
  void PutBack(std::unique_ptr<Connection> connection);

  const Route route_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
};

}  // namespace pgbackup
