#include "core/maintenance/marks_run.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "core/base/json.h"
#include "core/base/sha256.h"
#include "core/manifest/manifest_store.h"
#include "core/manifest/marks.h"
#include "core/ownership/claim.h"
#include "core/ownership/lease.h"
#include "core/storage/small_object.h"

namespace pgbackup {
namespace {

// A storage that could not be reached for so many in a row is not asked any more.
constexpr int kMostFailures = 3;

class MarksRun {
 public:
  MarksRun(const MarksJob& job, const RunContext& context)
      : job_(job), context_(context), storage_(context.open_storage(context.cancellation)) {
    if (!job.manifest_key.file.empty()) keys_.emplace(job.manifest_key.file);
  }

  // What became of each of the job's marks.
  boost::json::array Run();

 private:
  void Settle(const Marks& marks);
  void SettleGone(const Marks& marks, const std::optional<Claim>& claim);
  std::optional<std::string> StoredManifest(const std::string& folder);
  Instance WriterOf(const std::optional<Claim>& claim, const std::string& manifest) const;
  bool MayWrite(const Instance& writer);

  const MarksJob& job_;
  const RunContext& context_;
  const std::unique_ptr<Storage> storage_;
  std::optional<ManifestKeys> keys_;
  std::map<std::pair<std::string, std::string>, bool> may_write_;  // by token and place
  size_t others_ = 0;  // folders whose manifest is not the one
  std::string other_;  // one of them
};

boost::json::array MarksRun::Run() {
  boost::json::array outcomes;
  int failures = 0;
  std::string why;
  for (const StoredMarks& stored : job_.marks) {
    context_.cancellation.ThrowIfCancelled();
    if (failures < kMostFailures) {
      why.clear();
      try {
        Settle(stored.marks);
        failures = 0;
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::kCancelled) throw;
        why = error.message();
        failures = error.kind() == ErrorKind::kUnavailable ? failures + 1 : 0;
      }
      ++context_.progress.steps;
    }
    outcomes.push_back(boost::json::object{{"id", stored.id},
                                           {"changed_at", stored.marks.changed_at},
                                           {"message", JsonTextOrNull(why)}});
  }
  if (others_ > 0)
    context_.log(
        fmt::format("{} folders in {} have another manifest than the catalog knows, so no "
                    "marks were stored there; one of them is \"{}\"",
                    others_, storage_->url(), other_));
  return outcomes;
}

// Writes the marks, unless there is nothing to be written any more, or not by this server.
void MarksRun::Settle(const Marks& marks) {
  const std::optional<Claim> claim = ReadClaim(*storage_, marks.file_name);
  const std::optional<std::string> manifest = StoredManifest(marks.file_name);
  if (!manifest) return SettleGone(marks, claim);
  if (ToHex(Sha256::Of(*manifest)) != marks.checksum) {
    if (others_++ == 0) other_ = marks.file_name;
    return;
  }
  if (!MayWrite(WriterOf(claim, *manifest))) return;
  const std::string name = MarksObjectName(marks.file_name);
  if (marks.SayNothing() && !storage_->Head(name)) return;
  WriteSmallObject(*storage_, name, MarksText(marks, keys_ ? &*keys_ : nullptr),
                   /*if_absent=*/false);
  // A removal in the same moment has deleted the manifest first.
  if (!storage_->Head(ManifestObjectName(marks.file_name))) storage_->Delete(name);
}

// The backup was removed; or the storage is another one than it was, and that is an error. A run
// that was killed may have left marks behind.
void MarksRun::SettleGone(const Marks& marks, const std::optional<Claim>& claim) {
  if (claim) return;  // the removal is still under way
  if (!ReadLease(*storage_, job_.instance.token))
    RequireLease(*storage_, job_.instance, job_.instance);
  const std::string name = MarksObjectName(marks.file_name);
  const FoundMarks left = ReadMarks(*storage_, marks.file_name, marks.checksum, {});
  if (left.marks) storage_->Delete(name);
}

std::optional<std::string> MarksRun::StoredManifest(const std::string& folder) {
  try {
    return ReadManifestText(*storage_, folder);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
    return std::nullopt;
  }
}

// Who has made the backup; nobody's is that of a command line.
Instance MarksRun::WriterOf(const std::optional<Claim>& claim, const std::string& manifest) const {
  if (claim) return claim->instance.token.empty() ? job_.instance : claim->instance;
  const Instance writer = ParseManifest(manifest).cluster.instance;
  return writer.token.empty() ? job_.instance : writer;
}

// Where nobody has a lease, the backup itself shows that the storage is the right one.
bool MarksRun::MayWrite(const Instance& writer) {
  const auto [known, is_new] = may_write_.try_emplace({writer.token, writer.place}, false);
  if (!is_new) return known->second;
  try {
    const std::optional<Lease> lease = ReadLease(*storage_, writer.token);
    known->second = lease ? CoversWriter(*lease, writer, job_.instance)
                          : writer.token == job_.instance.token && !job_.instance.is_copy;
  } catch (...) {
    may_write_.erase(known);
    throw;
  }
  return known->second;
}

}  // namespace

RunOutcome RunMarks(const MarksJob& job, const RunContext& context) {
  try {
    context.progress.SetPhase("storing marks");
    RunOutcome outcome;
    outcome.fields["marks"] = MarksRun(job, context).Run();
    return outcome;
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
