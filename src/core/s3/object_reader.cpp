#include "core/s3/object_reader.h"

#include <cstdlib>

#include "core/storage/storage.h"

namespace pgbackup {
namespace {

class ObjectReader {
 public:
  ObjectReader(const Bucket& bucket, const std::string& key, Sink& to, uint64_t offset,
               uint64_t length)
      : bucket_(bucket), key_(key), to_(to), position_(offset) {
    end_ = length > Storage::kToTheEnd - offset ? Storage::kToTheEnd : offset + length;
  }

  void Run(const CallControl& control);

 private:
  HttpHeaders BeginTry();
  void TakeHead(const HttpResponse& head);
  void Take(const HttpResponse& head, std::span<const std::byte> data);
  [[noreturn]] void Fail(ErrorKind kind, const std::string& why) const {
    throw Error(kind, "could not read " + bucket_.Url(key_) + ": " + why);
  }

  const Bucket& bucket_;
  const std::string& key_;
  Sink& to_;
  uint64_t position_;  // the next byte `to_` needs
  uint64_t end_;       // past the last byte asked for
  std::string etag_;   // of the version that reading began with
  bool head_checked_ = false;
};

HttpHeaders ObjectReader::BeginTry() {
  head_checked_ = false;
  HttpHeaders headers;
  if (position_ > 0 || end_ != Storage::kToTheEnd) {
    std::string range = "bytes=" + std::to_string(position_) + "-";
    if (end_ != Storage::kToTheEnd) range += std::to_string(end_ - 1);
    headers.emplace_back("range", range);
  }
  if (!etag_.empty()) headers.emplace_back("if-match", etag_);
  return headers;
}

// Makes sure that the answer begins with the byte that is needed.
void ObjectReader::TakeHead(const HttpResponse& head) {
  if (std::exchange(head_checked_, true)) return;
  if (head.status == 206) {
    const std::string range(head.Header("content-range"));  // "bytes 5-9/10"
    if (range.rfind("bytes ", 0) != 0 || strtoull(range.c_str() + 6, nullptr, 10) != position_)
      Fail(ErrorKind::kUnavailable, "the store sent another range than asked for");
  } else if (position_ != 0) {
    Fail(ErrorKind::kUnavailable, "the store ignores ranges");
  }
  const std::string_view etag = head.Header("etag");
  if (etag_.empty())
    etag_ = etag;
  else if (!etag.empty() && etag != etag_)
    Fail(ErrorKind::kCorrupt, "it was overwritten meanwhile");
}

void ObjectReader::Take(const HttpResponse& head, std::span<const std::byte> data) {
  TakeHead(head);
  // A store that ignores the end of a range sends more than was asked for.
  if (data.size() > end_ - position_) data = data.first(static_cast<size_t>(end_ - position_));
  to_.Write(data);
  position_ += data.size();
}

void ObjectReader::Run(const CallControl& control) {
  S3Call call = bucket_.MakeCall("GET", key_, "read", "s3:GetObject");
  call.accepted = {412, 416};
  call.try_headers = [this] { return BeginTry(); };
  call.on_body = [this](const HttpResponse& head, std::span<const std::byte> data) {
    Take(head, data);
  };
  const int status = bucket_.client().Call(call, control).response.status;
  if (status == 412) Fail(ErrorKind::kCorrupt, "it was overwritten meanwhile");
  if (status != 416) return;
  // Nothing lies at or behind `position_`: right at the end that is an empty answer.
  const auto head = bucket_.HeadObject(key_, control);
  if (!head) Fail(ErrorKind::kNotFound, "it does not exist");
  if (position_ > head->size) Fail(ErrorKind::kInvalid, "offset is past its end");
}

}  // namespace

void ReadObject(const Bucket& bucket, const std::string& key, Sink& to, uint64_t offset,
                uint64_t length, const CallControl& control) {
  if (length > 0) return ObjectReader(bucket, key, to, offset, length).Run(control);
  const auto head = bucket.HeadObject(key, control);
  const std::string failed = "could not read " + bucket.Url(key) + ": ";
  if (!head) throw Error(ErrorKind::kNotFound, failed + "it does not exist");
  if (offset > head->size) throw Error(ErrorKind::kInvalid, failed + "offset is past its end");
}

}  // namespace pgbackup
