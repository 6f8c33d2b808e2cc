// HTTP by libcurl: persistent connections, TLS 1.2 or newer, always verified.
//
// Connections are kept between exchanges, one per concurrent caller. libcurl never touches signals
// here; the program ignores SIGPIPE. The certificate authorities are those of `ca_file`, else the
// system's as compiled into libcurl, whatever the environment says.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/s3/http.h"

namespace pgbackup {

class CurlTransport final : public Transport {
 public:
  // `ca_file`: PEM bundle that replaces the system's, or empty.
  explicit CurlTransport(std::string ca_file = {});
  ~CurlTransport() override;

  HttpResponse Perform(const HttpRequest& request) override;

 private:
  class Connection;

  std::unique_ptr<Connection> TakeConnection();
  void PutBack(std::unique_ptr<Connection> connection);

  std::string ca_file_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
};

}  // namespace pgbackup
