#include "core/s3/object_options.h"

#include <fmt/format.h>

#include "core/aws/sigv4.h"
#include "core/base/base64.h"
#include "core/base/crc32c.h"
#include "core/base/crc64nvme.h"
#include "core/base/error.h"
#include "core/base/md5.h"
#include "core/base/sha256.h"
#include "core/s3/customer_key.h"
#include "shared/s3_options.h"

namespace pgbackup {
namespace {

void Need(bool good, const char* option, const std::string& hint) {
  if (!good)
    throw Error(ErrorKind::kInvalid, fmt::format("invalid value of pgbackup.s3_{}", option), {},
                hint);
}

void CheckOptions(const S3Settings& settings) {
  for (const auto& option : kS3Options<S3Settings::Values>) {
    if (!option.is_for_writing) continue;
    const char* wrong = nullptr;
    if (option.text != nullptr) {
      const bool is_good = option.check(settings.*option.text, &wrong);
      Need(is_good, option.name, wrong != nullptr ? wrong : fmt::format("Use {}.", option.wanted));
    }
    const uint64_t most = static_cast<uint64_t>(option.most) * static_cast<uint64_t>(option.unit);
    if (option.number != nullptr)
      Need(settings.*option.number <= most, option.name, fmt::format("Use {} at most.", most));
  }
}

// The bytes of a number, the highest first.
template <typename Number>
std::string BigEndianBase64(Number number) {
  std::array<std::byte, sizeof number> bytes;
  for (size_t i = 0; i < sizeof number; ++i)
    bytes[i] = static_cast<std::byte>(number >> (8 * (sizeof number - 1 - i)) & 0xff);
  return ToBase64(bytes);
}

std::string Md5Base64(std::span<const std::byte> data) {
  const auto digest = Md5Of(data);
  if (!digest)
    throw Error(ErrorKind::kUnavailable, "could not compute the MD5 that object lock needs", {},
                "Set pgbackup.s3_checksum = 'sha256' instead.");
  return ToBase64(*digest);
}

std::string TaggingHeader(const std::string& tags) {
  std::string header;
  S3Tag tag;
  for (std::string_view rest = tags; NextTag(&rest, &tag);)
    header.append(header.empty() ? "" : "&")
        .append(PercentEncode(tag.key))
        .append("=")
        .append(PercentEncode(tag.value));
  return header;
}

}  // namespace

struct ObjectOptions::Checksum {
  enum class Algorithm { kSha256, kCrc32c, kCrc64Nvme };
  const char* setting;
  Algorithm algorithm;
  const char* name;  // in x-amz-checksum-algorithm
  const char* header;
  const char* element;
};

const ObjectOptions::Checksum* ObjectOptions::FindChecksum(const std::string& name) {
  static constexpr Checksum kChecksums[] = {
      {"sha256", Checksum::Algorithm::kSha256, "SHA256", "x-amz-checksum-sha256", "ChecksumSHA256"},
      {"crc32c", Checksum::Algorithm::kCrc32c, "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C"},
      {"crc64nvme", Checksum::Algorithm::kCrc64Nvme, "CRC64NVME", "x-amz-checksum-crc64nvme",
       "ChecksumCRC64NVME"}};
  for (const Checksum& checksum : kChecksums)
    if (name == checksum.setting) return &checksum;
  return nullptr;
}

ObjectOptions::ObjectOptions(const S3Settings& settings)
    : sse_(settings.sse),
      kms_key_id_(settings.kms_key_id),
      lock_mode_(settings.object_lock_mode),
      lock_days_(settings.object_lock_days),
      checksum_(FindChecksum(settings.checksum)) {
  CheckOptions(settings);

  const auto add = [this](const char* name, const std::string& value) {
    if (!value.empty()) for_object_.emplace_back(name, value);
  };
  add("x-amz-storage-class", settings.storage_class);
  add("x-amz-server-side-encryption", settings.sse);
  add("x-amz-server-side-encryption-aws-kms-key-id", settings.kms_key_id);
  add("x-amz-tagging", TaggingHeader(settings.tags));
  for_content_ = CustomerKeyHeaders(settings);
  if (settings.requester_pays) for_all_.emplace_back("x-amz-request-payer", "requester");
}

void ObjectOptions::CheckForWriting() const {
  Need(kms_key_id_.empty() || sse_ == "aws:kms", "kms_key_id",
       "A key needs pgbackup.s3_sse = 'aws:kms'; reset it for other encryption.");
  Need(for_content_.empty() || sse_.empty(), "sse_c_key_file",
       "A key of your own and pgbackup.s3_sse exclude each other; reset one of them.");
  Need(lock_mode_.empty() == (lock_days_ == 0), "object_lock_days",
       "Set both pgbackup.s3_object_lock_mode and pgbackup.s3_object_lock_days, or neither.");
}

HttpHeaders ObjectOptions::ForObject(WallTime now, bool lock) const {
  HttpHeaders headers = for_object_;
  if (lock && locks()) {
    headers.emplace_back("x-amz-object-lock-mode",
                         lock_mode_ == "governance" ? "GOVERNANCE" : "COMPLIANCE");
    headers.emplace_back("x-amz-object-lock-retain-until-date",
                         IsoDate(now + std::chrono::hours(24 * lock_days_)));
  }
  return headers;
}

HttpHeaders ObjectOptions::ForUpload() const {
  if (checksum_ == nullptr) return {};
  return {{"x-amz-checksum-algorithm", checksum_->name}};
}

BodyGuard ObjectOptions::Guard(std::span<const std::byte> body) const {
  BodyGuard guard;
  if (checksum_ == nullptr) {
    if (locks()) guard.headers.emplace_back("content-md5", Md5Base64(body));
    return guard;
  }
  switch (checksum_->algorithm) {
    case Checksum::Algorithm::kSha256: {
      const Sha256Digest digest = Sha256::Of(body);
      guard.payload_hash = ToHex(digest);
      guard.checksum = ToBase64(digest);
      break;
    }
    case Checksum::Algorithm::kCrc32c:
      guard.checksum = BigEndianBase64(Crc32c(body));
      break;
    case Checksum::Algorithm::kCrc64Nvme:
      guard.checksum = BigEndianBase64(Crc64Nvme(body));
      break;
  }
  // Ceph looks at a checksum only when this one names it.
  guard.headers.emplace_back("x-amz-sdk-checksum-algorithm", checksum_->name);
  guard.headers.emplace_back(checksum_->header, guard.checksum);
  return guard;
}

const char* ObjectOptions::checksum_element() const {
  return checksum_ == nullptr ? nullptr : checksum_->element;
}

std::string ObjectOptions::LockInWords() const {
  if (!locks()) return {};
  return "a lock of " + std::to_string(lock_days_) + (lock_days_ == 1 ? " day (" : " days (") +
         lock_mode_ + ")";
}

std::string IsoDate(WallTime time) {
  const std::string basic = AmzDate(time);  // 20250330T010203Z
  return basic.substr(0, 4) + "-" + basic.substr(4, 2) + "-" + basic.substr(6, 5) + ":" +
         basic.substr(11, 2) + ":" + basic.substr(13);
}

}  // namespace pgbackup
