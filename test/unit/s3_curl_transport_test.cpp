#include "core/http/curl_transport.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "s3_local_server.h"
#include "s3_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

using std::chrono::milliseconds;

class CurlTransportTest : public ::testing::Test {
 protected:
  HttpRequest Request(const std::string& method, const std::string& url) {
    HttpRequest request;
    request.method = method;
    request.url = url;
    request.cancellations = {&cancellation_};
    return request;
  }

  TransportFailure FailureOf(const HttpRequest& request) {
    try {
      transport_.Perform(request);
    } catch (const TransportError& error) {
      EXPECT_FALSE(error.text().empty());
      return error.failure();
    }
    ADD_FAILURE() << "there was an answer";
    return TransportFailure::kImpossible;
  }

  Cancellation cancellation_;
  CurlTransport transport_;
};

milliseconds Since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
}

TEST_F(CurlTransportTest, GivesBackStatusHeadersAndBody) {
  LocalServer server([](const auto&) {
    return LocalServer::Reply{LocalServer::Response(418, "teapot", "X-Name:  a b \r\n")};
  });
  const HttpResponse response = transport_.Perform(Request("GET", server.origin() + "/x"));
  EXPECT_EQ(response.status, 418);
  EXPECT_EQ(response.Header("x-name"), "a b");
  EXPECT_EQ(response.body, "teapot");
}

// Takes connections, reads what comes first, sends `bytes`, and resets or closes them.
class RawServer {
 public:
  RawServer(std::string bytes, bool reset) : bytes_(std::move(bytes)), reset_(reset) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
      throw std::runtime_error("no raw server");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~RawServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string port() const { return std::to_string(port_); }

 private:
  void Serve() {
    for (int fd; (fd = accept(listener_, nullptr, nullptr)) >= 0; close(fd)) {
      char first[4096];
      [[maybe_unused]] const ssize_t got = recv(fd, first, sizeof first, 0);
      [[maybe_unused]] const ssize_t sent = send(fd, bytes_.data(), bytes_.size(), MSG_NOSIGNAL);
      const linger at_once{1, 0};
      if (reset_) setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
  }

  const std::string bytes_;
  const bool reset_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

TEST_F(CurlTransportTest, AHandshakeThatBreaksIsAFailedConnection) {
  for (const bool reset : {true, false}) {
    const RawServer server("", reset);
    EXPECT_EQ(FailureOf(Request("GET", "https://127.0.0.1:" + server.port())),
              TransportFailure::kConnect)
        << reset;
  }
}

TEST_F(CurlTransportTest, WhatSpeaksAnotherProtocolIsNotTriedAgain) {
  const RawServer alert(std::string("\x15\x03\x01\x00\x02\x02\x46", 7), false);
  EXPECT_EQ(FailureOf(Request("GET", "http://127.0.0.1:" + alert.port())),
            TransportFailure::kNotHttp);
  const RawServer plain("HTTP/1.1 400 Bad Request\r\n\r\n", false);
  EXPECT_EQ(FailureOf(Request("GET", "https://127.0.0.1:" + plain.port())), TransportFailure::kTls);
}

TEST_F(CurlTransportTest, NamesItself) {
  std::string head;
  LocalServer server([&](const LocalServer::Request& request) {
    head = request.head;
    return LocalServer::Reply{LocalServer::Response(200, "")};
  });
  transport_.Perform(Request("GET", server.origin() + "/x"));
  EXPECT_NE(head.find("User-Agent: pgbackup/" PGBACKUP_VERSION "\r\n"), std::string::npos) << head;
}

TEST_F(CurlTransportTest, SendsPathHeadersAndBodyAsTheyAre) {
  std::string head, body;
  LocalServer server([&](const LocalServer::Request& request) {
    head = request.head;
    body = request.body;
    return LocalServer::Reply{LocalServer::Response(200, "")};
  });
  const std::string content = SomeBytes(3'000'000);
  HttpRequest request = Request("PUT", server.origin() + "/a%20b/../%2B?x=");
  request.headers = {{"x-amz-date", "now"}, {"host", "store:1"}};
  request.body = AsBytes(content);
  EXPECT_EQ(transport_.Perform(request).status, 200);
  EXPECT_EQ(head.rfind("PUT /a%20b/../%2B?x= HTTP/1.1\r\n", 0), 0u) << head;
  EXPECT_NE(head.find("x-amz-date: now\r\n"), std::string::npos);
  EXPECT_NE(head.find("Host: store:1\r\n"), std::string::npos) << head;
  for (const char* unwanted :
       {"Expect", "Accept", "Transfer-Encoding", "Content-Type", "127.0.0.1"})
    EXPECT_EQ(head.find(unwanted), std::string::npos) << head;
  EXPECT_TRUE(SameBytes(body, content));
}

TEST_F(CurlTransportTest, AnEmptyBodyHasALength) {
  std::vector<std::string> heads;
  LocalServer server([&](const LocalServer::Request& request) {
    heads.push_back(request.head);
    return LocalServer::Reply{LocalServer::Response(200, "")};
  });
  for (const char* method : {"PUT", "POST", "DELETE", "GET"})
    transport_.Perform(Request(method, server.origin() + "/"));
  EXPECT_NE(heads[0].find("Content-Length: 0\r\n"), std::string::npos) << heads[0];
  EXPECT_NE(heads[1].find("Content-Length: 0\r\n"), std::string::npos) << heads[1];
  EXPECT_EQ(heads[2].rfind("DELETE / ", 0), 0u);
  EXPECT_EQ(heads[3].rfind("GET / ", 0), 0u);
}

TEST_F(CurlTransportTest, KeepsItsConnection) {
  LocalServer server(
      [](const auto&) { return LocalServer::Reply{LocalServer::Response(200, "x")}; });
  for (int i = 0; i < 5; ++i) {
    transport_.Perform(Request("GET", server.origin() + "/"));
    HttpRequest put = Request("PUT", server.origin() + "/");
    put.body = AsBytes("content");
    transport_.Perform(put);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlTransportTest, SendsNothingAgainWhenAUsedConnectionEndsWithoutAnAnswer) {
  std::atomic<int> requests{0};
  LocalServer server([&](const auto&) {
    return ++requests == 1 ? LocalServer::Reply{LocalServer::Response(200, "")}
                           : LocalServer::Reply{"", true};
  });
  EXPECT_EQ(transport_.Perform(Request("POST", server.origin() + "/x?uploads")).status, 200);
  EXPECT_EQ(FailureOf(Request("POST", server.origin() + "/x?uploads")), TransportFailure::kBroken);
  EXPECT_EQ(requests, 2);
  HttpRequest put = Request("PUT", server.origin() + "/x");
  const std::string content = SomeBytes(3'000'000);
  put.body = AsBytes(content);
  EXPECT_EQ(FailureOf(put), TransportFailure::kBroken);
  EXPECT_EQ(requests, 3);
}

TEST_F(CurlTransportTest, AnswersToHeadHaveNoBody) {
  LocalServer server([](const auto&) {
    return LocalServer::Reply{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"};
  });
  const HttpResponse response = transport_.Perform(Request("HEAD", server.origin() + "/"));
  EXPECT_EQ(response.Header("content-length"), "1000");
  EXPECT_EQ(response.body, "");
}

TEST_F(CurlTransportTest, StreamsGoodBodiesAndCollectsBadOnes) {
  int status = 200;
  LocalServer server(
      [&](const auto&) { return LocalServer::Reply{LocalServer::Response(status, "content")}; });
  std::string streamed;
  HttpRequest request = Request("GET", server.origin() + "/");
  request.on_body = [&](const HttpResponse& head, std::span<const std::byte> data) {
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.Header("content-length"), "7");
    streamed.append(reinterpret_cast<const char*>(data.data()), data.size());
  };
  EXPECT_EQ(transport_.Perform(request).body, "");
  EXPECT_EQ(streamed, "content");
  status = 404;
  EXPECT_EQ(transport_.Perform(request).body, "content");
  EXPECT_EQ(streamed, "content");
}

TEST_F(CurlTransportTest, WhatTheReceiverThrowsPassesThrough) {
  LocalServer server([](const auto&) {
    return LocalServer::Reply{LocalServer::Response(200, SomeBytes(100'000))};
  });
  HttpRequest request = Request("GET", server.origin() + "/");
  request.on_body = [](const HttpResponse&, std::span<const std::byte>) {
    throw std::logic_error("enough");
  };
  EXPECT_THROW(transport_.Perform(request), std::logic_error);
}

TEST_F(CurlTransportTest, NamesEveryFailure) {
  int free_port = 0;
  {
    LocalServer server([](const auto&) { return LocalServer::Reply{}; });
    free_port = server.port();
  }
  EXPECT_EQ(FailureOf(Request("GET", "http://127.0.0.1:" + std::to_string(free_port) + "/")),
            TransportFailure::kConnect);
  EXPECT_EQ(FailureOf(Request("GET", "http://no-such-host.invalid/")), TransportFailure::kResolve);
  EXPECT_EQ(FailureOf(Request("GET", "ftp://127.0.0.1/")), TransportFailure::kImpossible);
  LocalServer closing([](const auto&) { return LocalServer::Reply{"", true}; });
  EXPECT_EQ(FailureOf(Request("GET", closing.origin() + "/")), TransportFailure::kBroken);
  LocalServer cutting([](const auto&) {
    return LocalServer::Reply{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf", true};
  });
  EXPECT_EQ(FailureOf(Request("GET", cutting.origin() + "/")), TransportFailure::kBroken);
  CurlTransport with_bad_ca("/does/not/exist.pem");
  HttpRequest tls = Request("GET", "https://127.0.0.1:" + std::to_string(cutting.port()) + "/");
  try {
    with_bad_ca.Perform(tls);
    ADD_FAILURE();
  } catch (const TransportError& error) {
    EXPECT_EQ(error.failure(), TransportFailure::kTls);
  }
}

TEST_F(CurlTransportTest, AStalledServerEndsTheExchange) {
  LocalServer server([](const LocalServer::Request& request) {
    if (request.head.rfind("GET /body", 0) == 0)
      return LocalServer::Reply{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf", false, true};
    return LocalServer::Reply{"", false, true};
  });
  for (const char* path : {"/silent", "/body"}) {
    HttpRequest request = Request("GET", server.origin() + path);
    request.stall_timeout = milliseconds(200);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(FailureOf(request), TransportFailure::kStalled) << path;
    EXPECT_GE(Since(begin), milliseconds(190));
    EXPECT_LE(Since(begin), milliseconds(1500));
  }
}

TEST_F(CurlTransportTest, TheTimeoutEndsTheExchangeWhateverMoves) {
  LocalServer server([](const auto&) { return LocalServer::Reply{"", false, true}; });
  HttpRequest request = Request("GET", server.origin() + "/");
  request.timeout = milliseconds(200);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(FailureOf(request), TransportFailure::kStalled);
  EXPECT_LE(Since(begin), milliseconds(1500));
}

TEST_F(CurlTransportTest, ASlowReceiverIsNoStall) {
  LocalServer server([](const auto&) {
    return LocalServer::Reply{LocalServer::Response(200, SomeBytes(1'000'000))};
  });
  HttpRequest request = Request("GET", server.origin() + "/");
  request.stall_timeout = milliseconds(100);
  size_t received = 0;
  int pieces = 0;
  request.on_body = [&](const HttpResponse&, std::span<const std::byte> data) {
    received += data.size();
    if (++pieces <= 2) std::this_thread::sleep_for(milliseconds(300));
  };
  EXPECT_EQ(transport_.Perform(request).status, 200);
  EXPECT_EQ(received, 1'000'000u);
}

TEST_F(CurlTransportTest, CancelEndsTheExchangeAtOnce) {
  LocalServer server([](const auto&) { return LocalServer::Reply{"", false, true}; });
  Cancellation other;
  HttpRequest request = Request("GET", server.origin() + "/");
  request.cancellations.push_back(&other);
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(100));
    other.Cancel();
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(FailureOf(request), TransportFailure::kCancelled);
  EXPECT_LE(Since(begin), milliseconds(600));
  canceller.join();
}

TEST_F(CurlTransportTest, AnEarlyRefusalOfAnUploadIsAnAnswer) {
  // The server reads the head only, refuses, and closes while the body is on its way.
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  std::thread server([listener] {
    const int fd = accept(listener, nullptr, nullptr);
    char chunk[1000];
    [[maybe_unused]] const ssize_t got = recv(fd, chunk, sizeof chunk, 0);
    const std::string answer = LocalServer::Response(403, "no", "Connection: close\r\n");
    [[maybe_unused]] const ssize_t sent = send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    while (recv(fd, chunk, sizeof chunk, 0) > 0) {
    }
    close(fd);
  });
  const std::string content = SomeBytes(5'000'000);
  HttpRequest request =
      Request("PUT", "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/");
  request.body = AsBytes(content);
  EXPECT_EQ(transport_.Perform(request).status, 403);
  server.join();
  close(listener);
}

TEST_F(CurlTransportTest, ARefusalThatBreaksOffInTheMiddleIsNoAnswer) {
  LocalServer server([](const auto&) {
    return LocalServer::Reply{"HTTP/1.1 403 X\r\nContent-Length: 100\r\n\r\n<Err", false, false,
                              true};
  });
  HttpRequest request = Request("PUT", server.origin() + "/");
  const std::string content = SomeBytes(1000);
  request.body = AsBytes(content);
  EXPECT_EQ(FailureOf(request), TransportFailure::kBroken);
}

// The backend over real sockets.

class S3OverSockets : public ::testing::Test {
 protected:
  std::unique_ptr<S3Storage> Open(const std::string& origin, const S3Limits& limits) {
    S3Settings settings;
    settings.endpoint = origin;
    settings.part_size = kLeastPartSize;
    return std::make_unique<S3Storage>(S3Location{"bucket", ""}, settings, limits,
                                       std::make_unique<CurlTransport>(), environment_,
                                       cancellation_);
  }

  // Real time, but the keys of the fake.
  class KeyedEnvironment final : public Environment {
   public:
    WallTime Now() const override { return real_->Now(); }
    SteadyTime SteadyNow() const override { return real_->SteadyNow(); }
    void Sleep(milliseconds duration, const Cancellation& cancellation) override {
      real_->Sleep(duration, cancellation);
    }
    void FillRandom(std::span<std::byte> out) override { real_->FillRandom(out); }
    std::optional<std::string> Variable(const std::string& name) const override {
      if (name == "AWS_ACCESS_KEY_ID" || name == "AWS_SECRET_ACCESS_KEY") return "x";
      return std::nullopt;
    }

   private:
    std::unique_ptr<Environment> real_ = SystemEnvironment();
  };

  KeyedEnvironment environment_;
  Cancellation cancellation_;
};

TEST_F(S3OverSockets, AReadGoesOnAtTheByteWhereTheConnectionBroke) {
  const std::string content = SomeBytes(500'000);
  std::vector<std::string> ranges;
  LocalServer server([&](const LocalServer::Request& request) {
    const size_t header = request.head.find("range: bytes=");
    const size_t from =
        header == std::string::npos ? 0 : std::stoul(request.head.substr(header + 13));
    ranges.push_back(std::to_string(from));
    const std::string rest = content.substr(from);
    std::string head = header == std::string::npos ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 206 P\r\n";
    head += "ETag: \"1\"\r\nContent-Length: " + std::to_string(rest.size()) + "\r\n";
    if (header != std::string::npos)
      head += "Content-Range: bytes " + std::to_string(from) + "-499999/500000\r\n";
    return LocalServer::Reply{head + "\r\n" + rest.substr(0, 200'000), true};
  });
  const auto storage = Open(server.origin(), {});
  EXPECT_TRUE(SameBytes(ReadObjectText(*storage, "x"), content));
  EXPECT_EQ(ranges, (std::vector<std::string>{"0", "200000", "400000"}));
}

TEST_F(S3OverSockets, ACancelEndsAllRangesOfAReadAtOnce) {
  std::atomic<int> stalled{0};
  LocalServer server([&](const LocalServer::Request& request) {
    if (request.head.find("range: bytes=0-9999\r\n") == std::string::npos) {
      if (++stalled == 3) cancellation_.Cancel();
      return LocalServer::Reply{"", false, true};
    }
    return LocalServer::Reply{
        "HTTP/1.1 206 P\r\nETag: \"1\"\r\nContent-Range: bytes 0-9999/500000\r\n"
        "Content-Length: 10000\r\n\r\n" +
        SomeBytes(10'000)};
  });
  S3Limits limits;
  limits.range_size = 10'000;
  const auto storage = Open(server.origin(), limits);
  const auto begin = std::chrono::steady_clock::now();
  const Error error = ErrorOf([&] { ReadObjectText(*storage, "x"); });
  EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  EXPECT_GE(stalled, 3);
  EXPECT_LE(Since(begin), milliseconds(2500));
}

TEST_F(S3OverSockets, AStalledServerEndsAtTheDeadline) {
  LocalServer server([](const auto&) { return LocalServer::Reply{"", false, true}; });
  S3Limits limits;
  limits.stall_timeout = milliseconds(300);
  limits.retry.window = limits.first_contact_window = milliseconds(1000);
  const auto storage = Open(server.origin(), limits);
  const auto begin = std::chrono::steady_clock::now();
  const Error error = ErrorOf([&] { storage->Head("x"); });
  EXPECT_EQ(error.message(),
            "could not look at s3://bucket/x: " + server.origin() + " stopped answering");
  EXPECT_GE(Since(begin), milliseconds(300));
  EXPECT_LE(Since(begin), milliseconds(2500));
}

TEST_F(S3OverSockets, ACancelDuringAnUploadEndsSoon) {
  LocalServer server([](const LocalServer::Request& request) {
    if (request.head.rfind("POST", 0) == 0)
      return LocalServer::Reply{
          LocalServer::Response(200,
                                "<InitiateMultipartUploadResult><UploadId>u</UploadId>"
                                "</InitiateMultipartUploadResult>")};
    if (request.head.rfind("PUT", 0) == 0) return LocalServer::Reply{"", false, true};
    if (request.head.rfind("DELETE", 0) == 0)
      return LocalServer::Reply{LocalServer::Response(204, "")};
    return LocalServer::Reply{
        LocalServer::Response(404, "<Error><Code>NoSuchUpload</Code></Error>")};
  });
  const auto storage = Open(server.origin(), {});
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(500));
    cancellation_.Cancel();
  });
  const auto begin = std::chrono::steady_clock::now();
  const Error error = ErrorOf([&] { WriteObject(*storage, "x", SomeBytes(6 * kLeastPartSize)); });
  EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  EXPECT_LE(Since(begin), milliseconds(2500));
  canceller.join();
}

TEST_F(CurlTransportTest, SendsABodyAtThePaceItIsGivenAndTakesTheWaitForNoStall) {
  std::string body;
  LocalServer server([&](const LocalServer::Request& request) {
    body = request.body;
    return LocalServer::Reply{LocalServer::Response(200, "")};
  });
  const std::string content = SomeBytes(100'000);
  HttpRequest request = Request("PUT", server.origin() + "/x");
  request.body = AsBytes(content);
  request.stall_timeout = milliseconds(500);
  size_t paced = 0, waits = 0;
  request.pace = [&](size_t wanted) {
    if (waits++ == 2) std::this_thread::sleep_for(milliseconds(700));
    paced += std::min<size_t>(wanted, 10'007);
    return std::min<size_t>(wanted, 10'007);
  };
  EXPECT_EQ(transport_.Perform(request).status, 200);
  EXPECT_EQ(waits, 10u);
  EXPECT_EQ(paced, content.size());
  EXPECT_TRUE(SameBytes(body, content));
}

TEST_F(CurlTransportTest, AnErrorInThePacePassesThrough) {
  LocalServer server(
      [](const auto&) { return LocalServer::Reply{LocalServer::Response(200, "")}; });
  HttpRequest request = Request("PUT", server.origin() + "/x");
  request.body = AsBytes("content");
  request.pace = [](size_t) -> size_t { throw Error(ErrorKind::kInternal, "no more"); };
  EXPECT_EQ(ErrorOf([&] { transport_.Perform(request); }).message(), "no more");
}

}  // namespace
}  // namespace pgbackup
