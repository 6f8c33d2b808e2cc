// What the refusal of a request means, and what can be done about it.
#pragma once

#include <string>

#include "core/s3/s3_error.h"

namespace pgbackup {

struct Meaning {
  ErrorKind kind;
  std::string reason;
  std::string hint;
};

// By the store's code and words, else by the status; also of what stands in the store's place.
Meaning MeaningOf(const S3Purpose& purpose, const S3Place& place, const HttpResponse& response,
                  const S3ErrorBody& body);

}  // namespace pgbackup
