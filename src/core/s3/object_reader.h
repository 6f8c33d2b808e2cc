// Reads an object as a stream, never whole: a connection that breaks is taken up again at the byte
// where it broke, of the same version of the object.
#pragma once

#include <cstdint>
#include <string>

#include "core/pipeline/sink.h"
#include "core/s3/bucket.h"

namespace pgbackup {

// Storage::Get for the object `key`.
void ReadObject(const Bucket& bucket, const std::string& key, Sink& to, uint64_t offset,
                uint64_t length, const CallControl& control);

}  // namespace pgbackup
