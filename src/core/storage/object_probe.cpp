#include "core/storage/object_probe.h"

#include <array>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/pipeline/buffer_sink.h"

namespace pgbackup {
namespace {

constexpr size_t kContentSize = 1000;  // bytes, twice as many as hexadecimal digits

constexpr const char* kPut = "put";
constexpr const char* kGet = "get";
constexpr const char* kGetRange = "range get";
constexpr const char* kList = "list";
constexpr const char* kHead = "head";
constexpr const char* kDelete = "delete";
constexpr const char* kPutIfAbsent = "conditional put";

std::string Read(Storage& storage, const std::string& name, uint64_t offset, uint64_t length) {
  BufferSink sink(64 << 10, "the probe object");
  storage.Get(name, sink, offset, length);
  return sink.text();
}

// Not thrown as kCorrupt: there is no backup to be replaced.
ProbeFinding NotWhatWasWritten(const std::string& what) {
  return {ProbeStatus::kError, "the storage " + what,
          "Do not use this storage: it does not keep what it is given. Look for a proxy or gateway "
          "that changes what passes through."};
}

}  // namespace

bool IsInProbeFolder(std::string_view folder) noexcept {
  return folder.size() > kProbeFolder.size() && folder[kProbeFolder.size()] == '/' &&
         folder.substr(0, kProbeFolder.size()) == kProbeFolder;
}

bool IsProbeObject(std::string_view name) noexcept {
  const size_t slash = name.rfind('/');
  if (slash == std::string_view::npos || !IsInProbeFolder(name.substr(0, slash))) return false;
  const std::string_view leaf = name.substr(slash + 1);
  return leaf == kProbeObject || leaf == kProbeMultipart;
}

void RemoveProbeFolder(Storage& storage, const std::string& folder) {
  std::vector<std::string> objects;
  storage.List(folder + "/", [&](const ObjectInfo& object) { objects.push_back(object.name); });
  std::vector<UnfinishedUpload> uploads;
  storage.ListUnfinished(folder + "/",
                         [&](const UnfinishedUpload& upload) { uploads.push_back(upload); });
  for (const std::string& name : objects) storage.Delete(name);
  for (const UnfinishedUpload& upload : uploads) storage.AbortUnfinished(upload);
}

void ObjectProbe::WriteObject(std::string_view leaf, const PutOptions& options) {
  const auto sink = storage_.Put(Name(leaf), options);
  sink->Write(std::as_bytes(std::span(content_)));
  try {
    sink->Finish();
  } catch (const Error& error) {
    // An answer that was lost leaves open what became of the object.
    may_be_left_ = may_be_left_ || error.kind() == ErrorKind::kUnavailable;
    throw;
  }
  may_be_left_ = true;
}

ProbeFinding ObjectProbe::Put() {
  std::array<std::byte, kContentSize> random;
  request_.environment.FillRandom(random);
  content_ = ToHex(random);
  PutOptions options;
  options.lock = false;
  const SteadyTime begin = request_.environment.SteadyNow();
  WriteObject(kProbeObject, options);
  is_written_ = true;
  const auto took =
      std::chrono::ceil<std::chrono::milliseconds>(request_.environment.SteadyNow() - begin);
  return "wrote " + std::to_string(content_.size()) + " bytes in " + std::to_string(took.count()) +
         " ms";
}

ProbeFinding ObjectProbe::Get() {
  if (Read(storage_, Name(kProbeObject), 0, Storage::kToTheEnd) != content_)
    return NotWhatWasWritten("gave back other bytes than it was given");
  return std::string("read the same bytes");
}

ProbeFinding ObjectProbe::GetRange() {
  const uint64_t offset = content_.size() / 3, length = 100;
  if (Read(storage_, Name(kProbeObject), offset, length) != content_.substr(offset, length))
    return NotWhatWasWritten("gave back other bytes than those asked for");
  return "read " + std::to_string(length) + " bytes from the middle";
}

ProbeFinding ObjectProbe::List() {
  bool found = false;
  storage_.List(request_.folder + "/", [&](const ObjectInfo& object) {
    found = found || (object.name == Name(kProbeObject) && object.size == content_.size());
  });
  if (found || !is_written_) return std::string(found ? "shows what was written" : "can list");
  return {ProbeStatus::kError, "the list does not show what was written a moment ago",
          "Use a storage whose listings are up to date: cleaning up depends on them."};
}

ProbeFinding ObjectProbe::Head() {
  const auto head = storage_.Head(Name(kProbeObject));
  if (!head || head->size != content_.size())
    return NotWhatWasWritten("does not know the size of what it was given");
  if (storage_.Head(Name("probe-missing")))
    return NotWhatWasWritten("claims to have an object that was never written");
  can_look_ = true;
  return std::string("tells what exists from what does not");
}

void ObjectProbe::WriteAndRead() {
  report_.Try(kPut, [&] { return Put(); });
  const bool readable = report_.TryAfter(is_written_, kGet, [&] { return Get(); });
  report_.TryAfter(readable, kGetRange, [&] { return GetRange(); });
  const bool listable = report_.Try(kList, [&] { return List(); });
  report_.TryAfter(readable && listable, kHead, [&] { return Head(); });
}

void ObjectProbe::SkipWrites(const std::string& why) {
  for (const char* item : {kPut, kGet, kGetRange}) report_.Skip(item, why);
  report_.Try(kList, [&] { return List(); });
  for (const char* item : {kHead, kPutIfAbsent}) report_.Skip(item, why);
}

void ObjectProbe::SkipAll(const std::string& why) {
  for (const char* item : {kPut, kGet, kGetRange, kList, kHead, kPutIfAbsent, kDelete})
    report_.Skip(item, why);
}

void ObjectProbe::WriteIfAbsent(std::string_view absent) {
  report_.TryAfter(is_written_, kPutIfAbsent, [&]() -> ProbeFinding {
    PutOptions options;
    options.if_absent = true;
    options.lock = false;
    if (!absent.empty()) WriteObject(absent, options);
    try {
      WriteObject(kProbeObject, options);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kAlreadyExists) throw;
      return std::string("refuses to write over an object that exists");
    }
    return NotWhatWasWritten("wrote over an object that it was to leave alone");
  });
}

bool ObjectProbe::Delete() {
  const bool deleted = report_.Try(kDelete, [&]() -> ProbeFinding {
    for (const std::string_view leaf : {kProbeObject, kProbeMultipart}) storage_.Delete(Name(leaf));
    if (can_look_ && storage_.Head(Name(kProbeObject)))
      return {ProbeStatus::kError, "an object that was deleted is still there",
              "Look at the log of the storage."};
    return std::string(is_written_ ? "deleted what was written" : "can delete");
  });
  if (deleted) may_be_left_ = false;
  return !may_be_left_;
}

}  // namespace pgbackup
