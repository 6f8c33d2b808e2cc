// Encryption by the store with a key of ours (SSE-C): the key goes along with every request that
// moves or describes the content of an object, and the store forgets it each time.
#pragma once

#include "core/http/http.h"
#include "core/s3/s3_settings.h"

namespace pgbackup {

// The headers that carry the key in settings.sse_c_key_file; none when that is empty. The file
// holds 32 bytes as they are or in base64, and is nobody else's to read. Throws what is wrong with
// it, and kInvalid where the key would travel unencrypted; no message holds any of the key.
HttpHeaders CustomerKeyHeaders(const S3Settings& settings);

}  // namespace pgbackup
