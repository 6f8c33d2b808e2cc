#include "core/s3/range_reader.h"

#include <algorithm>

#include "core/http/http_headers.h"
#include "core/storage/storage.h"

namespace pgbackup {
RangeReader::RangeReader(const Bucket& bucket, const std::string& key, uint64_t begin, uint64_t end,
                         std::string etag)
    : bucket_(bucket),
      key_(key),
      position_(begin),
      end_(end),
      end_if_whole_(end),
      etag_(std::move(etag)) {}

void RangeReader::Fail(ErrorKind kind, const std::string& why) const {
  throw Error(kind, "could not read " + bucket_.Url(key_) + ": " + why);
}

void RangeReader::ThrowOverwritten() const {
  Fail(ErrorKind::kCorrupt, "it was overwritten meanwhile");
}

HttpHeaders RangeReader::BeginTry() {
  if (position_ >= end_) throw Enough();  // the connection broke behind the last byte
  head_checked_ = false;
  std::string range = "bytes=" + std::to_string(position_) + "-";
  if (end_ != Storage::kToTheEnd) range += std::to_string(end_ - 1);
  HttpHeaders headers = {{"range", range}};
  // A weak one matches nothing (RFC 9110, section 13.1.1); the answer's is compared in any case.
  if (!etag_.empty() && etag_.rfind("W/", 0) != 0) headers.emplace_back("if-match", etag_);
  return headers;
}

void RangeReader::CheckVersion(const HttpResponse& head) {
  const std::string_view etag = head.Header("etag");
  if (etag_.empty())
    etag_ = etag;
  else if (!etag.empty() && etag != etag_)
    ThrowOverwritten();
}

// Makes sure that the answer begins with the byte that is needed, and learns where the object ends.
void RangeReader::TakeHead(const HttpResponse& head) {
  if (std::exchange(head_checked_, true)) return;
  CheckVersion(head);
  RangeHead about{etag_, std::nullopt};
  if (head.status == 206) {
    const auto range = ParseContentRange(head.Header("content-range"));
    if (!range || !range->bytes || !range->size || range->bytes->first != position_)
      Fail(ErrorKind::kUnavailable, "the store sent another range than asked for");
    about.size = range->size;
    end_ = std::min(end_, *range->size);
  } else if (position_ != 0) {
    Fail(ErrorKind::kUnavailable, "the store ignores ranges");
  } else {
    end_ = end_if_whole_;
  }
  if (!std::exchange(begun_, true) && *on_head_) (*on_head_)(about);
}

void RangeReader::Take(std::span<const std::byte> data) {
  const bool more = data.size() > end_ - position_;
  if (more) data = data.first(static_cast<size_t>(end_ - position_));
  (*on_bytes_)(data);
  position_ += data.size();
  if (more) throw Enough();
}

void RangeReader::ThrowBeyondEnd(const CallControl& control) const {
  if (!etag_.empty()) ThrowOverwritten();  // it was longer
  // Nothing lies at or behind `position_`: right at the end that is an empty answer.
  const auto head = bucket_.HeadObject(key_, control);
  if (!head) Fail(ErrorKind::kNotFound, "it does not exist");
  if (position_ > head->size) Fail(ErrorKind::kInvalid, "offset is past its end");
}

// One answer, however many tries it takes.
void RangeReader::RunOnce(const CallControl& control) {
  S3Call call = bucket_.ContentCall("GET", key_, "read", "s3:GetObject");
  call.accepted = {412, 416};
  call.try_headers = [this] { return BeginTry(); };
  call.on_body = [this](const HttpResponse& head, std::span<const std::byte> data) {
    TakeHead(head);
    Take(data);
  };
  const HttpResponse response = bucket_.client().Call(call, control).response;
  if (response.status == 412) ThrowOverwritten();
  if (response.status == 416) {
    ThrowBeyondEnd(control);
    end_ = position_;
    return;
  }
  TakeHead(response);  // of an answer without a body
  if (response.status != 206) end_ = position_;
}

void RangeReader::Run(const CallControl& control, const OnBytes& on_bytes, const OnHead& on_head) {
  on_bytes_ = &on_bytes;
  on_head_ = &on_head;
  try {
    while (position_ < end_) {
      const uint64_t before = position_;
      RunOnce(control);
      // A store may send less than was asked for; what is missing is asked for anew.
      if (position_ == before && position_ < end_)
        Fail(ErrorKind::kUnavailable, "the store sent an empty range");
    }
  } catch (const Enough&) {
  }
}

}  // namespace pgbackup
