// What an S3 store's refusal, or its silence, means to the person who has to mend it.
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/http/http.h"
#include "core/s3/s3_xml.h"

namespace pgbackup {

// What was being done, for messages.
struct S3Purpose {
  std::string action;         // "write", "read", "list", …: "could not <action> <url>"
  std::string url;            // of the object or the bucket, "s3://bucket/name"
  std::string permission;     // the IAM action it takes, e.g. "s3:PutObject"
  std::string resource = {};  // what it takes it on, e.g. "arn:aws:s3:::bucket/*"
  bool locks = false;         // whether a new object is to be locked
  bool has_key = false;       // whether a customer's key for its content goes along
};

// Where it was being done, for hints.
struct S3Place {
  std::string origin;  // "https://host:port"
  std::string bucket;
  std::string region;
  std::string ca_file;
  std::string proxy;  // empty: none
};

// The store answered, and the answer is final.
Error RefusedError(const S3Purpose& purpose, const S3Place& place, const HttpResponse& response,
                   const S3ErrorBody& body);

// The store answered with success, and the answer is not what the S3 API promises: `what` it lacks.
[[noreturn]] void ThrowUnclear(const S3Purpose& purpose, const std::string& what);

// There was no answer, and trying has ended.
Error UnreachableError(const S3Purpose& purpose, const S3Place& place, const TransportError& error);

}  // namespace pgbackup
