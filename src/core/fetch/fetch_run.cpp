#include "core/fetch/fetch_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/deadline.h"
#include "core/base/json.h"
#include "core/base/lanes.h"
#include "core/base/sha256.h"
#include "core/manifest/encrypted_contents.h"
#include "core/manifest/manifest_store.h"
#include "core/manifest/object_names.h"
#include "core/manifest/stored_object.h"
#include "core/pipeline/count_sink.h"
#include "core/storage/file_storage.h"

namespace pgbackup {
namespace {

// A file to be made: an object's content, or one stored segment as it is.
struct WantedFile {
  std::string name;
  const ManifestObject* object = nullptr;
  const Segment* segment = nullptr;  // null: all of the object, decompressed
};

// Names come from a manifest, which anybody may have written.
void CheckFileName(const std::string& name) {
  if (name.find('/') == std::string::npos && IsBackupObjectName(name)) return;
  throw Error(ErrorKind::kCorrupt,
              fmt::format("the manifest names the impossible object \"{}\"", name));
}

// What the content of an object is called.
std::string WithoutCodec(const std::string& name) {
  if (IsEncryptedObject(name))
    return WithoutCodec(name.substr(0, name.size() - kEncryptedSuffix.size()));
  const std::string_view suffix = CodecSuffix(CodecOfObject(name));
  if (!name.ends_with(suffix)) return name;
  return name.substr(0, name.size() - suffix.size());
}

class Fetch {
 public:
  Fetch(const FetchJob& job, const RunContext& context)
      : job_(job),
        context_(context),
        target_(job.directory, context.environment, context.cancellation) {}

  // Throws what went wrong.
  RunOutcome Run();

  // Whether what lies in the directory is this run's.
  bool has_begun() const noexcept { return has_begun_; }

 private:
  void CheckDirectory();
  std::vector<WantedFile> Plan(const Manifest& manifest) const;
  uint64_t Bring(Storage& source, const WantedFile& file);

  const FetchJob& job_;
  const RunContext& context_;
  FileStorage target_;
  bool has_begun_ = false;
};

void Fetch::CheckDirectory() {
  target_.List("", [&](const ObjectInfo& file) {
    throw Error(ErrorKind::kAlreadyExists,
                fmt::format("directory \"{}\" is not empty", job_.directory),
                fmt::format("It holds {}.", file.name), "Name a directory that is new or empty.");
  });
}

std::vector<WantedFile> Fetch::Plan(const Manifest& manifest) const {
  std::vector<WantedFile> files;
  for (const ManifestObject& object : manifest.objects) {
    CheckFileName(object.name);
    if (job_.decompress) {
      files.push_back({WithoutCodec(object.name), &object, nullptr});
      continue;
    }
    for (const Segment& segment : object.segments) {
      CheckFileName(segment.name);
      files.push_back({segment.name, &object, &segment});
    }
  }
  std::set<std::string> names;
  for (const WantedFile& file : files)
    if (!names.insert(file.name).second)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("the manifest names the impossible object \"{}\"", file.name),
                  "Another object would become a file of the same name.");
  return files;
}

// Returns the file's size.
uint64_t Fetch::Bring(Storage& source, const WantedFile& file) {
  std::atomic<uint64_t> size = 0;
  std::unique_ptr<Sink> into =
      std::make_unique<CountSink>(target_.Put(file.name, PutOptions()), &size);
  if (file.segment == nullptr) {
    const std::unique_ptr<Sink> chain =
        ContentChain(std::move(into), *file.object, context_.progress);
    ReadStoredObject(source, job_.file_name, *file.object, *chain);
  } else {
    ManifestObject part = *file.object;
    part.segments = {*file.segment};
    CountSink counted(std::make_unique<CountSink>(std::move(into), &context_.progress.stored_bytes),
                      &context_.progress.raw_bytes);
    ReadStoredObject(source, job_.file_name, part, counted);
  }
  return size;
}

RunOutcome Fetch::Run() {
  const std::unique_ptr<Storage> source = context_.open_storage(context_.cancellation);
  const std::string text = ReadManifestText(*source, job_.file_name);
  Manifest manifest =
      CheckedManifest(text, *source, job_.file_name, job_.checksum, job_.manifest_key);
  if (job_.decompress)
    OpenEncryptedBackup(*source, job_.file_name, job_.encryption, context_.progress, &manifest);
  const std::vector<WantedFile> files = Plan(manifest);
  CheckDirectory();
  has_begun_ = true;
  context_.progress.total_bytes = job_.decompress ? manifest.RawSize() : manifest.StoredSize();
  context_.progress.SetPhase("fetching");
  context_.progress.BeginData(context_.environment.Now());
  std::vector<uint64_t> sizes(files.size());
  std::vector<std::function<void()>> lanes;
  for (size_t i = 0; i < files.size(); ++i)
    lanes.emplace_back([&, i] { sizes[i] = Bring(*source, files[i]); });
  FirstFailure failure(context_.cancellation);
  RunLanes(lanes, static_cast<size_t>(job_.jobs), failure, context_.cancellation);
  failure.Rethrow();
  context_.progress.EndData(context_.environment.Now());
  const std::unique_ptr<Sink> sink = target_.Put(std::string(kManifestName), PutOptions());
  sink->Write(AsBytes(text));
  sink->Finish();

  RunOutcome outcome;
  boost::json::array made;
  for (size_t i = 0; i < files.size(); ++i)
    made.push_back(boost::json::object{{"name", JsonText(std::string_view(files[i].name))},
                                       {"size", sizes[i]}});
  outcome.fields["files"] = std::move(made);
  outcome.fields["message"] = nullptr;
  return outcome;
}

// The directory was empty before.
bool EmptyDirectory(const FetchJob& job, const RunContext& context) {
  try {
    const Deadline deadline(kCleanUpTime);
    FileStorage target(job.directory, context.environment, deadline.cancellation());
    std::vector<std::string> names;
    target.List("", [&](const ObjectInfo& file) { names.push_back(file.name); });
    for (const std::string& name : names) target.Delete(name);
    return true;
  } catch (const std::exception& error) {
    context.log(fmt::format("could not empty directory \"{}\": {}", job.directory, error.what()));
    return false;
  }
}

}  // namespace

RunOutcome RunFetch(const FetchJob& job, const RunContext& context) {
  try {
    Fetch fetch(job, context);
    try {
      return fetch.Run();
    } catch (...) {
      const std::exception_ptr failure = std::current_exception();
      return OutcomeOf(failure, !fetch.has_begun() || EmptyDirectory(job, context));
    }
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
