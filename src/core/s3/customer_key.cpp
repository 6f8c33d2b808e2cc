#include "core/s3/customer_key.h"

#include "core/base/base64.h"
#include "core/base/error.h"
#include "core/base/md5.h"
#include "core/base/sha256.h"
#include "core/base/small_file.h"

namespace pgbackup {
namespace {

constexpr size_t kKeyBytes = 32;

std::string_view WithoutLineEnd(std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

// The key in base64.
std::string ReadKey(const std::string& path) {
  const std::string failed = "could not read the encryption key file \"" + path + "\"";
  const SmallFile file = ReadPrivateFile(path, failed, "pgbackup.s3_sse_c_key_file");
  if (file.text.size() == kKeyBytes) return ToBase64(AsBytes(file.text));
  const auto decoded = FromBase64(WithoutLineEnd(file.text));
  if (!decoded || decoded->size() != kKeyBytes)
    throw Error(ErrorKind::kInvalid, failed + ": it does not hold a key",
                "A key is 32 bytes, as they are or in base64.",
                "Make one with: openssl rand -base64 32");
  return ToBase64(*decoded);
}

// Whether requests to the endpoint leave this machine unencrypted.
bool TravelsInClear(const S3Settings& settings) {
  constexpr std::string_view kPlain = "http://";
  std::string_view host = settings.endpoint;
  if (host.substr(0, kPlain.size()) != kPlain) return false;
  if (!settings.proxy.empty()) return true;
  host.remove_prefix(kPlain.size());
  host = host.substr(0, host.find('/'));
  const size_t port = host.rfind(':');
  if (port != std::string_view::npos && host.back() != ']') host = host.substr(0, port);
  return host != "127.0.0.1" && host != "localhost" && host != "[::1]";
}

}  // namespace

HttpHeaders CustomerKeyHeaders(const S3Settings& settings) {
  if (settings.sse_c_key_file.empty()) return {};
  if (TravelsInClear(settings))
    throw Error(ErrorKind::kInvalid, "pgbackup.s3_sse_c_key_file needs an https:// endpoint",
                "The key goes along with the requests, and over http anybody could read it.",
                "Set pgbackup.s3_endpoint to an https:// address. Plain http is only for a store "
                "at 127.0.0.1 or localhost, without a proxy.");
  const std::string key = ReadKey(settings.sse_c_key_file);
  const auto md5 = Md5Of(*FromBase64(key));
  if (!md5)
    throw Error(ErrorKind::kUnavailable, "could not compute the MD5 that goes along with a key", {},
                "This machine's OpenSSL refuses MD5; use pgbackup.s3_sse instead of "
                "pgbackup.s3_sse_c_key_file.");
  const std::string prefix = "x-amz-server-side-encryption-customer-";
  return {{prefix + "algorithm", "AES256"},
          {prefix + "key", key},
          {prefix + "key-md5", ToBase64(*md5)}};
}

}  // namespace pgbackup
