// Reads one range of an object as a stream: a connection that breaks is taken up again at the byte
// where it broke, of the same version of the object.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/s3/bucket.h"

namespace pgbackup {

// What the first answer says about the object.
struct RangeHead {
  std::string etag;              // of the version that is read; empty: the store gives none
  std::optional<uint64_t> size;  // of the object; nullopt: the store sends it whole, without ranges
};

class RangeReader {
 public:
  using OnHead = std::function<void(const RangeHead&)>;
  using OnBytes = std::function<void(std::span<const std::byte>)>;

  // Bytes [begin, end) of `key`, cut at its end; begin < end. With `etag`, of that version only.
  // Bucket and key outlive the reader.
  RangeReader(const Bucket& bucket, const std::string& key, uint64_t begin, uint64_t end,
              std::string etag = {});

  // A store that ignores ranges sends all of the object: bytes up to `end` are taken then.
  void TakeWholeUpTo(uint64_t end) { end_if_whole_ = end; }

  // Hands the bytes to `on_bytes`, in order; what that throws passes through. `on_head` is called
  // once, before them. kCorrupt when the object is another one than at the beginning, kNotFound and
  // kInvalid as Storage::Get.
  void Run(const CallControl& control, const OnBytes& on_bytes, const OnHead& on_head = {});

 private:
  struct Enough {};  // thrown to end an exchange that would bring more than is needed

  void RunOnce(const CallControl& control);
  HttpHeaders BeginTry();
  void TakeHead(const HttpResponse& head);
  void CheckVersion(const HttpResponse& head);
  void Take(std::span<const std::byte> data);
  void ThrowBeyondEnd(const CallControl& control) const;
  [[noreturn]] void ThrowOverwritten() const;
  [[noreturn]] void Fail(ErrorKind kind, const std::string& why) const;

  const Bucket& bucket_;
  const std::string& key_;
  uint64_t position_;  // of the next byte
  uint64_t end_;
  uint64_t end_if_whole_;
  std::string etag_;
  const OnBytes* on_bytes_ = nullptr;
  const OnHead* on_head_ = nullptr;
  bool begun_ = false;         // some try has seen a good head
  bool head_checked_ = false;  // this try has
};

}  // namespace pgbackup
