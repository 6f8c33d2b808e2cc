// Stand-ins for the tests of the S3 client: a clock that only sleeping moves, and a store in memory
// whose answers a test can replace one by one.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "core/aws/sigv4.h"
#include "core/base/environment.h"
#include "core/http/http.h"
#include "core/s3/s3_storage.h"

namespace pgbackup {

// Time stands still but for Sleep, which takes none.
class FakeEnvironment final : public Environment {
 public:
  WallTime Now() const override {
    const std::lock_guard lock(mutex_);
    return wall_;
  }
  SteadyTime SteadyNow() const override {
    const std::lock_guard lock(mutex_);
    return steady_;
  }
  void Sleep(std::chrono::milliseconds duration, const Cancellation& cancellation) override {
    if (cancellation.IsCancelled()) return;
    Advance(duration);
    const std::lock_guard lock(mutex_);
    slept_ += duration;
  }
  void FillRandom(std::span<std::byte> out) override {
    const std::lock_guard lock(mutex_);
    for (std::byte& byte : out) byte = static_cast<std::byte>(random_());
  }
  std::optional<std::string> Variable(const std::string& name) const override {
    const auto found = variables.find(name);
    if (found == variables.end() || found->second.empty()) return std::nullopt;
    return found->second;
  }

  void Advance(std::chrono::nanoseconds duration) {
    const std::lock_guard lock(mutex_);
    wall_ += duration;
    steady_ += std::chrono::duration_cast<SteadyTime::duration>(duration);
  }
  std::chrono::milliseconds slept() const {
    const std::lock_guard lock(mutex_);
    return slept_;
  }

  std::map<std::string, std::string> variables = {{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
                                                  {"AWS_SECRET_ACCESS_KEY", "the-secret-key"}};

 private:
  mutable std::mutex mutex_;
  WallTime wall_{std::chrono::seconds(1'700'000'000)};
  SteadyTime steady_{std::chrono::hours(1)};
  std::chrono::milliseconds slept_{0};
  std::mt19937 random_{42};
};

// What a request asks for, taken apart.
struct SeenRequest {
  std::string method;
  std::string origin;  // "https://host"
  std::string path;    // decoded
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;
  size_t body_size = 0;
  std::chrono::milliseconds timeout{0};

  bool Has(const std::string& parameter) const { return query.count(parameter) > 0; }
  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

inline HttpResponse Answer(int status, std::string body = {}, HttpHeaders headers = {}) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

inline HttpResponse ErrorAnswer(int status, const std::string& code, HttpHeaders headers = {}) {
  return Answer(status,
                "<Error><Code>" + code +
                    "</Code><Message>the store's words</Message>"
                    "<RequestId>req-7</RequestId></Error>",
                std::move(headers));
}

// An S3 store in memory with one bucket, path style.
class FakeStore {
 public:
  struct Object {
    std::string content;
    std::string write_id;
    int version = 0;
    std::optional<WallTime> modified = {};
  };
  struct Upload {
    std::string key;
    std::string write_id;
    std::map<int, std::string> parts;
    std::optional<WallTime> initiated = {};
  };
  // Looks at a request before the store does; what it returns is the answer, what it throws a
  // failure of the transport. Called under the store's lock, so a plain lambda will do.
  using Hook = std::function<std::optional<HttpResponse>(const SeenRequest&)>;

  HttpResponse Perform(const HttpRequest& request);
  // Sets `before` while requests are on their way.
  void SetBefore(Hook hook) {
    const std::lock_guard lock(mutex_);
    before = std::move(hook);
  }

  Hook before;                      // the store does not see the request when it answers
  Hook after;                       // the store has done what was asked, its answer is replaced
  size_t cut_bodies_at = SIZE_MAX;  // a GET's connection breaks after so many bytes
  std::function<bool(const SeenRequest&)> cuts = [](const auto&) { return true; };  // of which ones
  bool knows_customer_keys = true;
  int refuses_conditions_with = 0;  // status of the answer to If-None-Match; 0: it is known
  std::function<WallTime()> clock;  // if given, answers and listings tell times
  std::string object_lock;          // the bucket's configuration, XML; empty: none

  std::string versioning, lifecycle;  // other configurations of it

  // How listings of objects go on, and what becomes of keys in them.
  enum class Listing {
    kVersion2,
    kVersion1,     // whatever is asked for
    kLosesTokens,  // version 2 whose pages do not name the next one
    kStandsStill,  // the same, and always the first page
  };
  Listing listing = Listing::kVersion2;
  bool encodes_keys = true;   // when asked to; else it only says so
  bool says_encoded = false;  // always says so

  std::map<std::string, Object> objects;
  std::map<std::string, Upload> uploads;
  std::vector<SeenRequest> seen;
  std::string last_complete;  // the body of the last CompleteMultipartUpload

  size_t Count(const std::string& method, const std::string& parameter = {}) const {
    return static_cast<size_t>(std::count_if(seen.begin(), seen.end(), [&](const auto& request) {
      return request.method == method && (parameter.empty() || request.Has(parameter));
    }));
  }

 private:
  HttpResponse Do(const SeenRequest& request, const std::string& body);
  HttpResponse ListObjects(const SeenRequest& request, const std::string& prefix);
  HttpResponse DoObject(const SeenRequest& request, const std::string& key,
                        const std::string& body);
  HttpResponse DoUpload(const SeenRequest& request, const std::string& key,
                        const std::string& body);
  HttpResponse Deliver(const HttpRequest& request, HttpResponse response, size_t cut);
  std::optional<WallTime> Time() const {
    return clock ? std::optional<WallTime>(clock()) : std::nullopt;
  }

  std::mutex mutex_;
  int next_ = 0;
};

// A transport to a FakeStore that outlives it.
class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(FakeStore& store) : store_(store) {}
  HttpResponse Perform(const HttpRequest& request) override {
    for (const Cancellation* cancellation : request.cancellations)
      if (cancellation->IsCancelled())
        throw TransportError(TransportFailure::kCancelled, "cancelled");
    if (request.pace)
      for (size_t left = request.body.size(); left > 0;) left -= request.pace(left);
    return store_.Perform(request);
  }

 private:
  FakeStore& store_;
};

inline SeenRequest TakeApart(const HttpRequest& request) {
  SeenRequest seen;
  seen.method = request.method;
  seen.timeout = request.timeout;
  seen.body_size = request.body.size();
  const size_t host = request.url.find("//") + 2;
  const size_t slash = request.url.find('/', host);
  seen.origin = request.url.substr(0, slash);
  const size_t question = request.url.find('?', slash);
  seen.path = PercentDecode(request.url.substr(slash, question - slash));
  if (question != std::string::npos) {
    std::string rest = request.url.substr(question + 1);
    while (!rest.empty()) {
      const std::string pair = rest.substr(0, rest.find('&'));
      rest.erase(0, pair.size() + 1);
      const size_t equals = pair.find('=');
      seen.query[PercentDecode(pair.substr(0, equals))] = PercentDecode(pair.substr(equals + 1));
    }
  }
  for (const auto& [name, value] : request.headers) seen.headers[name] = value;
  return seen;
}

// "<Name>2011-07-11T19:55:29Z</Name>", nothing when the time is not known.
inline std::string TimeElement(const std::string& name, const std::optional<WallTime>& time) {
  return time ? "<" + name + ">" + IsoDate(*time) + "</" + name + ">" : "";
}

inline std::string HttpDate(WallTime time) {
  const time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
  tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return text;
}

inline HttpResponse FakeStore::Perform(const HttpRequest& request) {
  const SeenRequest seen_request = TakeApart(request);
  const std::string body(reinterpret_cast<const char*>(request.body.data()), request.body.size());
  HttpResponse response;
  size_t cut = SIZE_MAX;
  {
    const std::lock_guard lock(mutex_);
    seen.push_back(seen_request);
    std::optional<HttpResponse> other = before ? before(seen_request) : std::nullopt;
    if (!other) {
      response = Do(seen_request, body);
      constexpr const char* kAlgorithm = "x-amz-server-side-encryption-customer-algorithm";
      if (knows_customer_keys && !seen_request.Header(kAlgorithm).empty())
        response.headers.emplace_back(kAlgorithm, seen_request.Header(kAlgorithm));
      other = after ? after(seen_request) : std::nullopt;
    }
    if (other) response = *other;
    if (cuts(seen_request)) cut = cut_bodies_at;
    if (clock) response.headers.emplace_back("date", HttpDate(clock()));
  }
  return Deliver(request, std::move(response), cut);
}

inline HttpResponse FakeStore::Deliver(const HttpRequest& request, HttpResponse response,
                                       size_t cut) {
  if (request.method == "HEAD") response.body.clear();
  if (!request.on_body || response.status >= 300) return response;
  const std::string body = std::exchange(response.body, {});
  const size_t length = std::min(body.size(), cut);
  for (size_t at = 0; at < length; at += 1000)
    request.on_body(
        response, AsBytes(std::string_view(body).substr(at, std::min<size_t>(1000, length - at))));
  if (length < body.size()) throw TransportError(TransportFailure::kBroken, "connection reset");
  return response;
}

inline HttpResponse FakeStore::Do(const SeenRequest& request, const std::string& body) {
  const std::string bucket = "/bucket";
  if (request.path.compare(0, bucket.size(), bucket) != 0) return ErrorAnswer(404, "NoSuchBucket");
  const std::string key =
      request.path.size() > bucket.size() + 1 ? request.path.substr(bucket.size() + 1) : "";
  if (!key.empty())
    return request.Has("uploads") || request.Has("uploadId") ? DoUpload(request, key, body)
                                                             : DoObject(request, key, body);
  if (request.Has("object-lock"))
    return object_lock.empty() ? ErrorAnswer(404, "ObjectLockConfigurationNotFoundError")
                               : Answer(200, object_lock);
  if (request.Has("versioning")) return Answer(200, versioning);
  if (request.Has("lifecycle"))
    return lifecycle.empty() ? ErrorAnswer(404, "NoSuchLifecycleConfiguration")
                             : Answer(200, lifecycle);
  const std::string prefix = request.query.at("prefix");
  if (request.Has("uploads")) {
    std::string xml = "<ListMultipartUploadsResult>";
    for (const auto& [id, upload] : uploads)
      if (upload.key.rfind(prefix, 0) == 0)
        xml += "<Upload><Key>" + upload.key + "</Key><UploadId>" + id + "</UploadId>" +
               TimeElement("Initiated", upload.initiated) + "</Upload>";
    return Answer(200, xml + "</ListMultipartUploadsResult>");
  }
  return ListObjects(request, prefix);
}

inline HttpResponse FakeStore::ListObjects(const SeenRequest& request, const std::string& prefix) {
  const auto limit = static_cast<size_t>(std::stoi(request.query.at("max-keys")));
  const bool is_version1 = listing == Listing::kVersion1 || !request.Has("list-type");
  std::string token;
  if (listing != Listing::kStandsStill)
    for (const char* name : {"continuation-token", "start-after", "marker"})
      if (request.Has(name) && is_version1 == (std::string_view(name) == "marker"))
        token = request.query.at(name);
  const bool is_encoded = request.Has("encoding-type");
  const auto in_xml = [&](const std::string& key) {
    if (is_encoded && encodes_keys) return PercentEncode(key, true);
    std::string text;
    // A control character is none of XML: some stores leave it out.
    for (const char c : key)
      text += c == '&' ? "&amp;" : c < 0x20 && c > 0 ? "\xEF\xBF\xBD" : std::string(1, c);
    return text;
  };
  std::string xml, last;
  if (is_encoded || says_encoded) xml += "<EncodingType>url</EncodingType>";
  size_t count = 0;
  bool more = false;
  for (const auto& [name, object] : objects) {
    if (name.rfind(prefix, 0) != 0 || name <= token) continue;
    if (count == limit) {
      more = true;
      break;
    }
    ++count;
    last = name;
    xml += "<Contents><Key>" + in_xml(name) + "</Key><Size>" +
           std::to_string(object.content.size()) + "</Size>" +
           TimeElement("LastModified", object.modified) + "</Contents>";
  }
  if (more) xml += "<IsTruncated>true</IsTruncated>";
  if (more && !is_version1 && listing == Listing::kVersion2)
    xml += "<NextContinuationToken>" + last + "</NextContinuationToken>";
  return Answer(200, "<ListBucketResult>" + xml + "</ListBucketResult>");
}

inline HttpResponse FakeStore::DoObject(const SeenRequest& request, const std::string& key,
                                        const std::string& body) {
  const auto found = objects.find(key);
  if (request.method == "PUT") {
    if (!request.Header("if-none-match").empty()) {
      if (refuses_conditions_with != 0)
        return ErrorAnswer(refuses_conditions_with, "NotImplemented");
      if (found != objects.end()) return ErrorAnswer(412, "PreconditionFailed");
    }
    objects[key] = {body, request.Header(kWriteIdHeader), ++next_, Time()};
    return Answer(200, {}, {{"etag", "\"" + std::to_string(next_) + "\""}});
  }
  if (request.method == "DELETE") {
    objects.erase(key);
    return Answer(204);
  }
  if (found == objects.end()) return ErrorAnswer(404, "NoSuchKey");
  const Object& object = found->second;
  const std::string etag = "\"" + std::to_string(object.version) + "\"";
  if (!request.Header("if-match").empty() && request.Header("if-match") != etag)
    return ErrorAnswer(412, "PreconditionFailed");
  HttpHeaders headers = {{"etag", etag}, {kWriteIdHeader, object.write_id}};
  if (object.modified) headers.emplace_back("last-modified", HttpDate(*object.modified));
  const std::string range = request.Header("range");
  if (range.empty()) {
    headers.emplace_back("content-length", std::to_string(object.content.size()));
    return Answer(200, object.content, headers);
  }
  const size_t from = std::stoull(range.substr(6));
  if (from >= object.content.size()) return ErrorAnswer(416, "InvalidRange");
  const std::string to_text = range.substr(range.find('-') + 1);
  const size_t to = to_text.empty()
                        ? object.content.size() - 1
                        : std::min<size_t>(std::stoull(to_text), object.content.size() - 1);
  headers.emplace_back("content-range", "bytes " + std::to_string(from) + "-" + std::to_string(to) +
                                            "/" + std::to_string(object.content.size()));
  return Answer(206, object.content.substr(from, to - from + 1), headers);
}

inline HttpResponse FakeStore::DoUpload(const SeenRequest& request, const std::string& key,
                                        const std::string& body) {
  if (request.Has("uploads")) {
    const std::string id = "upload-" + std::to_string(++next_);
    uploads[id] = {key, request.Header(kWriteIdHeader), {}, Time()};
    return Answer(200, "<InitiateMultipartUploadResult><UploadId>" + id +
                           "</UploadId></InitiateMultipartUploadResult>");
  }
  const auto found = uploads.find(request.query.at("uploadId"));
  if (found == uploads.end()) return ErrorAnswer(404, "NoSuchUpload");
  Upload& upload = found->second;
  if (request.method == "PUT") {
    const int number = std::stoi(request.query.at("partNumber"));
    upload.parts[number] = body;
    return Answer(200, {}, {{"etag", "\"part-" + std::to_string(number) + "\""}});
  }
  if (request.method == "GET") return Answer(200, "<ListPartsResult/>");
  if (request.method == "DELETE") {
    uploads.erase(found);
    return Answer(204);
  }
  last_complete = body;
  if (!request.Header("if-none-match").empty()) {
    if (refuses_conditions_with != 0) return ErrorAnswer(refuses_conditions_with, "NotImplemented");
    if (objects.count(key) > 0) return ErrorAnswer(412, "PreconditionFailed");
  }
  Object object{{}, upload.write_id, ++next_, Time()};
  for (const auto& [number, part] : upload.parts) object.content += part;
  objects[key] = std::move(object);
  uploads.erase(found);
  return Answer(200, "<CompleteMultipartUploadResult/>");
}

}  // namespace pgbackup
