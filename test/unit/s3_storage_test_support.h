// The S3 backend on a store in memory that misbehaves as a test asks it to.
#pragma once

#include <gtest/gtest.h>

#include "core/s3/s3_storage.h"
#include "s3_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {

class S3StoreFixture : public ::testing::Test {
 protected:
  S3StoreFixture() {
    settings_.endpoint = "http://store:9000";
    settings_.part_size = kPart;
    limits_.page_size = 3;
  }

  S3Storage& storage() {
    if (!storage_)
      storage_ = std::make_unique<S3Storage>(S3Location{"bucket", "p"}, settings_, limits_,
                                             std::make_unique<FakeTransport>(store_), environment_,
                                             cancellation_);
    return *storage_;
  }

  // The hook answers `answer` the first `times` times that `matches`.
  FakeStore::Hook Times(int times, const std::function<bool(const SeenRequest&)>& matches,
                        const std::function<HttpResponse()>& answer) {
    return [times, matches, answer](const SeenRequest& request) mutable {
      if (times == 0 || !matches(request)) return std::optional<HttpResponse>();
      --times;
      return std::optional<HttpResponse>(answer());
    };
  }

  FakeEnvironment environment_;
  Cancellation cancellation_;
  S3Settings settings_;
  S3Limits limits_;
  FakeStore store_;
  std::unique_ptr<S3Storage> storage_;
};

inline bool Always(const SeenRequest&) {
  return true;
}

}  // namespace pgbackup
