#include "core/storage/storage.h"

#include "core/base/error.h"

namespace pgbackup {

std::string Storage::Presign(const std::string& /*name*/, int /*expires*/) {
  throw Error(ErrorKind::kInvalid, "objects in " + url() + " have no URLs to hand out", "",
              "Only backups in S3 can be presigned.");
}

}  // namespace pgbackup
