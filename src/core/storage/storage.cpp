#include "core/storage/storage.h"

#include "core/base/error.h"
#include "core/storage/object_probe.h"

namespace pgbackup {

std::string Storage::Presign(const std::string& /*name*/, int /*expires*/) {
  throw Error(ErrorKind::kInvalid, "objects in " + url() + " have no URLs to hand out", "",
              "Only backups in S3 can be presigned.");
}

void Storage::ListReadable(const std::string& prefix, const EachObject& each,
                           const EachUnlisted& /*unlisted*/) {
  List(prefix, each);
}

bool Storage::Probe(const ProbeRequest& request, ProbeReport& report) {
  ObjectProbe probe(*this, request, report);
  probe.WriteAndRead();
  probe.WriteIfAbsent();
  return !probe.Delete();
}

}  // namespace pgbackup
