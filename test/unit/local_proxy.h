// A proxy on 127.0.0.1: HTTP (CONNECT, and plain requests passed on as they are) and SOCKS 5.
// Every name and address is this machine.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace pgbackup {

class LocalProxy {
 public:
  // `refusal`: what it answers to every HTTP request instead of serving it, e.g. a 403.
  explicit LocalProxy(std::string refusal = {})
      : refusal_(std::move(refusal)), stop_(eventfd(0, EFD_CLOEXEC)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Local(0);
    socklen_t length = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
      throw std::runtime_error("no local proxy");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] {
      while (WaitFor(listener_, stop_) == listener_) {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0) connections_.emplace_back([this, fd] { Serve(fd); });
      }
    });
  }
  ~LocalProxy() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop_, &one, sizeof one);
    acceptor_.join();
    for (std::thread& thread : connections_) thread.join();
    close(listener_);
    close(stop_);
  }

  std::string Url(const std::string& scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(port_);
  }
  // What each connection asked for first, such as "CONNECT host:443" or "socks host:80".
  std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  static sockaddr_in Local(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    return address;
  }

  // The one of the two that has something to read; the stop goes before both.
  int WaitFor(int first, int second) const {
    for (;;) {
      pollfd waiting[3] = {{first, POLLIN, 0}, {second, POLLIN, 0}, {stop_, POLLIN, 0}};
      if (poll(waiting, 3, -1) < 0) continue;
      if (waiting[2].revents != 0) return stop_;
      return waiting[0].revents != 0 ? first : second;
    }
  }

  // More bytes; an empty text at the end.
  std::string Read(int fd) const {
    char chunk[65536];
    if (WaitFor(fd, stop_) != fd) return {};
    const ssize_t got = recv(fd, chunk, sizeof chunk, 0);
    return got > 0 ? std::string(chunk, static_cast<size_t>(got)) : std::string();
  }

  static bool Send(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // Notes what is asked for, connects to the port behind the last colon, and passes bytes on until
  // one side ends. `answer` goes back first, `ahead` to the server.
  void Tunnel(int client, const std::string& what, const std::string& answer,
              const std::string& ahead) {
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(what);
    }
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Local(std::stoi(what.substr(what.rfind(':') + 1)));
    bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                Send(client, answer) && Send(server, ahead);
    while (open) {
      const int from = WaitFor(client, server);
      const std::string data = from == stop_ ? std::string() : Read(from);
      open = !data.empty() && Send(from == client ? server : client, data);
    }
    close(server);
  }

  void ServeSocks(int fd, const std::string& greeting) {
    if (greeting.size() < 3 || !Send(fd, std::string("\x05\x00", 2))) return;
    // 5, connect, 0, then 1 and an address or 3, a length and a name, then the port.
    const std::string request = Read(fd);
    if (request.size() < 10) return;
    const auto byte = [&](size_t at) { return static_cast<unsigned char>(request[at]); };
    const bool is_name = byte(3) == 3;
    const std::string host = is_name ? request.substr(5, byte(4)) : "address";
    const size_t at = is_name ? 5 + host.size() : 8;
    if (request.size() != at + 2) return;
    const int port = byte(at) << 8 | byte(at + 1);
    Tunnel(fd, "socks " + host + ":" + std::to_string(port),
           std::string("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10), {});
  }

  void ServeHttp(int fd, std::string head) {
    while (head.find("\r\n\r\n") == std::string::npos) {
      const std::string more = Read(fd);
      if (more.empty()) return;
      head += more;
    }
    const std::string line = head.substr(0, head.find(" HTTP/"));
    if (!refusal_.empty()) {
      Send(fd, refusal_);
    } else if (line.rfind("CONNECT ", 0) == 0) {
      Tunnel(fd, line, "HTTP/1.1 200 Connected\r\n\r\n", {});
    } else {  // "GET http://host:port/path"
      Tunnel(fd, line.substr(0, line.find('/', line.find("//") + 2)), {}, head);
    }
  }

  void Serve(int fd) {
    const std::string first = Read(fd);
    if (!first.empty() && first.front() == 5)
      ServeSocks(fd, first);
    else if (!first.empty())
      ServeHttp(fd, first);
    close(fd);
  }

  const std::string refusal_;
  const int stop_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;  // guarded by mutex_
  std::thread acceptor_;
  std::vector<std::thread> connections_;  // the acceptor's, until it has ended
};

}  // namespace pgbackup
