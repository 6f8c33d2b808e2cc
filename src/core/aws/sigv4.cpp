#include "core/aws/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "core/base/error.h"

namespace pgbackup {
namespace {

Sha256Digest Hmac(std::span<const std::byte> key, std::string_view data) {
  Sha256Digest mac;
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(data.data()), data.size(),
           reinterpret_cast<unsigned char*>(mac.data()), &length) == nullptr)
    throw Error(ErrorKind::kInternal, "could not compute an HMAC");
  return mac;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

// A header's value without spaces at its ends, and with runs of them inside as one.
std::string TrimmedValue(std::string_view value) {
  std::string trimmed;
  for (const char c : value) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space)
      trimmed += c;
    else if (!trimmed.empty() && trimmed.back() != ' ')
      trimmed += ' ';
  }
  if (!trimmed.empty() && trimmed.back() == ' ') trimmed.pop_back();
  return trimmed;
}

// Headers as they are signed: names in lower case, sorted, values of one name joined.
NameValues CanonicalHeaders(const NameValues& headers) {
  NameValues sorted;
  for (const auto& [name, value] : headers)
    sorted.emplace_back(LowerCase(name), TrimmedValue(value));
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& left, const auto& right) { return left.first < right.first; });
  NameValues joined;
  for (auto& header : sorted) {
    if (!joined.empty() && joined.back().first == header.first)
      joined.back().second += "," + header.second;
    else
      joined.push_back(std::move(header));
  }
  return joined;
}

std::string SignedHeaders(const NameValues& canonical_headers) {
  std::string names;
  for (const auto& header : canonical_headers) {
    if (!names.empty()) names += ';';
    names += header.first;
  }
  return names;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string PercentEncode(std::string_view text, bool keep_slashes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
        c == '.' || c == '_' || c == '~' || (c == '/' && keep_slashes)) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

std::string PercentDecode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
        HexValue(text[i + 2]) >= 0) {
      decoded += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string CanonicalQuery(const NameValues& query) {
  NameValues encoded;
  for (const auto& [name, value] : query)
    encoded.emplace_back(PercentEncode(name), PercentEncode(value));
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded) {
    if (!text.empty()) text += '&';
    text.append(name).append("=").append(value);
  }
  return text;
}

std::string CanonicalRequest(const SigningRequest& request) {
  const NameValues headers = CanonicalHeaders(request.headers);
  std::string text = request.method + "\n" + request.path + "\n" + CanonicalQuery(request.query);
  text += '\n';
  for (const auto& [name, value] : headers)
    text.append(name).append(":").append(value).append("\n");
  return text + "\n" + SignedHeaders(headers) + "\n" + request.payload_hash;
}

std::string AmzDate(WallTime time) {
  const time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
  return text;
}

std::string Signer::CredentialScope(const std::string& amz_date) const {
  return amz_date.substr(0, 8) + "/" + scope_.region + "/" + scope_.service + "/aws4_request";
}

std::string Signer::Signature(const std::string& canonical_request, const std::string& amz_date) {
  const std::string day = amz_date.substr(0, 8);
  if (key_date_ != day) {
    const std::string secret = "AWS4" + scope_.secret_access_key;
    key_ =
        Hmac(Hmac(Hmac(Hmac(AsBytes(secret), day), scope_.region), scope_.service), "aws4_request");
    key_date_ = day;
  }
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + amz_date + "\n" + CredentialScope(amz_date) +
                              "\n" + ToHex(Sha256::Of(canonical_request));
  return ToHex(Hmac(key_, to_sign));
}

std::string Signer::Authorization(const SigningRequest& request, WallTime time) {
  const std::string amz_date = AmzDate(time);
  return "AWS4-HMAC-SHA256 Credential=" + scope_.access_key_id + "/" + CredentialScope(amz_date) +
         ",SignedHeaders=" + SignedHeaders(CanonicalHeaders(request.headers)) +
         ",Signature=" + Signature(CanonicalRequest(request), amz_date);
}

std::string Signer::PresignedQuery(SigningRequest request, const std::string& session_token,
                                   WallTime time, int expires) {
  const std::string amz_date = AmzDate(time);
  request.query.emplace_back("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  request.query.emplace_back("X-Amz-Credential",
                             scope_.access_key_id + "/" + CredentialScope(amz_date));
  request.query.emplace_back("X-Amz-Date", amz_date);
  request.query.emplace_back("X-Amz-Expires", std::to_string(expires));
  request.query.emplace_back("X-Amz-SignedHeaders",
                             SignedHeaders(CanonicalHeaders(request.headers)));
  if (!session_token.empty()) request.query.emplace_back("X-Amz-Security-Token", session_token);
  request.payload_hash = "UNSIGNED-PAYLOAD";
  const std::string signature = Signature(CanonicalRequest(request), amz_date);
  return CanonicalQuery(request.query) + "&X-Amz-Signature=" + signature;
}

}  // namespace pgbackup
