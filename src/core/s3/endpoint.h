// Where a bucket answers: endpoint, region and addressing style become a URL.
#pragma once

#include <string>
#include <string_view>

#include "core/s3/s3_settings.h"

namespace pgbackup {

// Letters, digits, "-" and "_": what may become part of a host name and of a signature.
bool IsRegionName(std::string_view text) noexcept;

class Endpoint {
 public:
  // From the settings; throws kInvalid with a hint for a bad endpoint or path_style.
  Endpoint(const S3Settings& settings, std::string bucket, std::string region);

  // The region requests are signed for.
  const std::string& region() const { return region_; }
  // The same bucket in another region, whose name is one: on AWS another host, behind a custom
  // endpoint only another name in the signature.
  Endpoint InRegion(std::string region) const;

  // "http://127.0.0.1:9000" or "https://bucket.s3.eu-central-1.amazonaws.com".
  std::string Origin() const { return scheme_ + "://" + Host(); }
  // The value of the Host header.
  std::string Host() const;
  // The encoded path of an object, or of the bucket when `key` is empty.
  std::string Path(const std::string& key) const;
  bool is_custom() const { return !custom_host_.empty(); }

 private:
  std::string scheme_ = "https";
  std::string custom_host_;  // with port; empty for AWS
  std::string bucket_;
  std::string region_;
  bool path_style_ = false;
};

}  // namespace pgbackup
