#include "core/maintenance/presign_run.h"

#include <fmt/format.h>

#include "core/base/json.h"

namespace pgbackup {
namespace {

RunOutcome Presign(const PresignJob& job, const RunContext& context) {
  const std::unique_ptr<Storage> storage = context.open_storage(context.cancellation);
  boost::json::array urls;
  for (const std::string& object : job.objects) {
    const std::string name = fmt::format("{}/{}", job.file_name, object);
    // A URL is made without a word to the store. Asking first finds out its region, and that the
    // object is there.
    if (!storage->Head(name))
      throw Error(ErrorKind::kNotFound, fmt::format("{}/{} does not exist", storage->url(), name),
                  "", "Look whether somebody or a lifecycle rule of the bucket has removed it.");
    boost::json::object entry;
    entry["name"] = JsonText(std::string_view(object));
    entry["url"] =
        JsonText(std::string_view(storage->Presign(name, static_cast<int>(job.expires))));
    urls.push_back(std::move(entry));
  }
  RunOutcome outcome;
  outcome.fields["urls"] = std::move(urls);
  return outcome;
}

}  // namespace

RunOutcome RunPresign(const PresignJob& job, const RunContext& context) {
  try {
    return Presign(job, context);
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
