#include "core/dump/backup_copies.h"

#include <fmt/format.h>

#include "core/base/json.h"
#include "core/job/events.h"

namespace pgbackup {
namespace {

// How much a copy may lag behind, and for how long. Under a bandwidth limit, which all storages
// share, nothing may be seen to move for as long as it takes to send what the writers of each hold.
CopyLimits LimitsOfCopies(const BackupJob& job) {
  CopyLimits limits;
  if (job.storage.bandwidth_limit == 0) return limits;
  const uint64_t held = 4 * job.storage.s3.part_size * (job.copies.size() + 1);
  limits.patience.in_a_row += std::chrono::milliseconds(1000 * held / job.storage.bandwidth_limit);
  return limits;
}

// A storage's URL as people want to read it.
std::string WithoutParameters(const std::string& url) {
  return url.substr(0, url.find('?'));
}

}  // namespace

void BackupCopies::Begin(const Claim& claim) {
  for (const StorageSettings& copy : job_.copies)
    targets_.push_back(std::make_unique<CopyTarget>(
        [&](const Cancellation& until) { return context_.open_at(copy, until); }, job_.file_name,
        claim, LimitsOfCopies(job_), context_.environment, context_.cancellation));
}

boost::json::array BackupCopies::Complete(const std::string& manifest) {
  for (const auto& target : targets_) target->Complete(manifest);
  boost::json::array outcomes;
  for (size_t i = 0; i < targets_.size(); ++i) {
    targets_[i]->Await();
    const std::optional<Error> failure = targets_[i]->failure();
    if (failure)
      context_.log(fmt::format("the copy in {} failed: {}", WithoutParameters(job_.copies[i].url),
                               failure->message()));
    boost::json::object outcome = failure ? ErrorFields(*failure) : boost::json::object();
    outcome["storage"] = JsonText(std::string_view(job_.copies[i].url));
    outcome["completed"] = !failure;
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

std::vector<StorageSettings> BackupCopies::GiveUp() {
  std::vector<StorageSettings> touched;
  for (size_t i = 0; i < targets_.size(); ++i) {
    targets_[i]->GiveUp(Error(ErrorKind::kCancelled, "the backup failed"));
    if (targets_[i]->HasTouchedTheFolder()) touched.push_back(job_.copies[i]);
  }
  return touched;
}

}  // namespace pgbackup
