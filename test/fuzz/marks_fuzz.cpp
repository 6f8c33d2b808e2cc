// What lies beside a manifest and says what is pinned and verified: core/manifest/marks.h.
#include <string>

#include "core/base/error.h"
#include "core/base/iso_time.h"
#include "core/manifest/marks.h"
#include "core/storage/storage.h"
#include "fuzz.h"

namespace pgbackup {
namespace {

// Marks written down again are the same marks, and such as a catalog can take.
void CheckMarks(std::string_view text) {
  Marks marks;
  try {
    marks = ParseMarks(text);
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::kInvalid && !error.message().empty());
    return;
  }
  REQUIRE(IsValidObjectName(marks.file_name) && marks.checksum.size() == 64);
  REQUIRE(ParseIsoTime(marks.changed_at));
  REQUIRE(marks.verified_at.empty() == marks.verified_level.empty());
  const std::string spelled = MarksText(marks, nullptr);
  REQUIRE(MarksText(ParseMarks(spelled), nullptr) == spelled);
}

}  // namespace
}  // namespace pgbackup

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pgbackup::CheckMarks(pgbackup::TextOf(data, size));
  return 0;
}
