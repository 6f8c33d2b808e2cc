// A tiny HTTP server on 127.0.0.1 that does what a test's script says, byte by byte.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace pgbackup {

class LocalServer {
 public:
  // What to do about one request.
  struct Reply {
    std::string bytes;   // sent as they are
    bool close = false;  // then close the connection
    bool stall = false;  // then say nothing more until the server ends
    bool reset = false;  // then reset the connection
  };
  struct Request {
    std::string head;  // up to and with the empty line
    std::string body;
    int connection = 0;  // 1 for the first
  };
  using Script = std::function<Reply(const Request&)>;

  explicit LocalServer(Script script) : script_(std::move(script)), stop_(eventfd(0, EFD_CLOEXEC)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
      throw std::runtime_error("no local server");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~LocalServer() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop_, &one, sizeof one);
    acceptor_.join();
    for (std::thread& thread : connections_) thread.join();
    close(listener_);
    close(stop_);
  }

  std::string origin() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  int connections() const { return count_; }

  // "HTTP/1.1 200 OK" with a body.
  static std::string Response(int status, const std::string& body,
                              const std::string& headers = {}) {
    return "HTTP/1.1 " + std::to_string(status) +
           " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" +
           body;
  }

 private:
  // False once the server ends.
  bool WaitFor(int fd) const {
    pollfd waiting[2] = {{fd, POLLIN, 0}, {stop_, POLLIN, 0}};
    while (poll(waiting, 2, -1) < 0) {
    }
    return waiting[1].revents == 0;
  }

  void Accept() {
    while (WaitFor(listener_)) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      const int number = ++count_;
      connections_.emplace_back([this, fd, number] {
        while (ServeOne(fd, number)) {
        }
        close(fd);
      });
    }
  }

  bool ReadMore(int fd, std::string* text) const {
    char chunk[65536];
    if (!WaitFor(fd)) return false;
    const ssize_t got = recv(fd, chunk, sizeof chunk, 0);
    if (got <= 0) return false;
    text->append(chunk, static_cast<size_t>(got));
    return true;
  }

  // Returns whether the connection stays.
  bool ServeOne(int fd, int number) {
    Request request;
    request.connection = number;
    std::string text;
    size_t end;
    while ((end = text.find("\r\n\r\n")) == std::string::npos)
      if (!ReadMore(fd, &text)) return false;
    request.head = text.substr(0, end + 4);
    request.body = text.substr(end + 4);
    size_t length = 0;
    const size_t header = request.head.find("Content-Length: ");
    if (header != std::string::npos) length = std::stoul(request.head.substr(header + 16));
    while (request.body.size() < length)
      if (!ReadMore(fd, &request.body)) return false;
    Reply reply;
    {
      const std::lock_guard lock(mutex_);
      reply = script_(request);
    }
    std::string_view left = reply.bytes;
    while (!left.empty()) {
      const ssize_t sent = send(fd, left.data(), left.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      left.remove_prefix(static_cast<size_t>(sent));
    }
    if (reply.stall) {
      pollfd waiting{stop_, POLLIN, 0};
      poll(&waiting, 1, -1);
      return false;
    }
    if (reply.reset) {
      const linger at_once{1, 0};
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    return !reply.close && !reply.reset;
  }

  Script script_;
  int stop_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> count_{0};
  std::mutex mutex_;  // one request at a time sees the script
  std::thread acceptor_;
  std::vector<std::thread> connections_;  // the acceptor's, until it has ended
};

}  // namespace pgbackup
