// Where backups live: the one contract of all storage backends.
//
// An object has a name: UTF-8, parts separated by '/', no part empty, "." or "..". Names are
// relative to the storage's URL. An object appears whole or not at all, and is overwritten by a
// second Put of its name unless `if_absent` is set.
//
// One Storage may be used by several threads at once; a sink it returned by one at a time. The
// Storage outlives its sinks. Every call throws Error; transient trouble has been retried before
// anything is thrown. A message names the URL of the object and never a secret.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/environment.h"
#include "core/pipeline/sink.h"

namespace pgbackup {

class Error;
class ProbeReport;
struct ProbeRequest;

struct ObjectInfo {
  std::string name;
  uint64_t size = 0;                      // bytes
  std::optional<WallTime> modified = {};  // when it was written, see Storage::Now; nullopt: unknown
};

// An object that somebody has begun to write and not finished: a multipart upload, or a temporary
// file.
struct UnfinishedUpload {
  std::string name;                      // of the object it is to be; of a temporary file, its own
  std::string id;                        // what the backend knows it by
  std::optional<WallTime> touched = {};  // begun or, for a file, written to last; nullopt: unknown
};

// What a storage has shown, so far, of trouble that is still ahead.
struct StorageSigns {
  // How far its clock is ahead of this machine's.
  std::optional<std::chrono::seconds> clock_skew = {};
  // When the credentials expire that nothing renews by itself.
  std::optional<WallTime> credentials_end = {};
};

struct PutOptions {
  // Fail with kAlreadyExists when the object exists, where the store can tell atomically; where it
  // cannot, a check just before. Used for the manifest.
  bool if_absent = false;
  std::string content_type = "application/octet-stream";
  // False: not locked, even where the settings ask for an object lock. For what is soon deleted.
  bool lock = true;
};

// A place above a storage, and what lies there.
struct Surroundings {
  std::string url;                 // empty: there is none, or nothing lies there
  std::vector<std::string> names;  // of folders, some of them where there are many
};

class Storage {
 public:
  static constexpr uint64_t kToTheEnd = UINT64_MAX;

  virtual ~Storage() = default;

  // The storage's URL, for messages. Holds no secret.
  virtual const std::string& url() const = 0;

  // The most bytes one object can hold; a longer stream continues in another object.
  virtual uint64_t MaxObjectSize() const = 0;

  // The time by the storage's own clock as far as it has told it, else by this machine's. What the
  // times of objects are to be compared with.
  virtual WallTime Now() const = 0;

  // Empty for one that has neither a clock nor credentials.
  virtual StorageSigns Signs() const { return {}; }

  // Begins writing an object. It exists once the sink's Finish has returned, durably.
  virtual std::unique_ptr<Sink> Put(const std::string& name, const PutOptions& options = {}) = 0;

  // Writes bytes [offset, offset + length) of an object into `to`, cut at its end; neither
  // finishes nor aborts `to`. kNotFound when there is no such object; kInvalid when offset is past
  // its end. What `to` throws passes through.
  virtual void Get(const std::string& name, Sink& to, uint64_t offset = 0,
                   uint64_t length = kToTheEnd) = 0;

  virtual std::optional<ObjectInfo> Head(const std::string& name) = 0;

  // Calls `each` for every object whose name starts with `prefix`, in ascending byte order.
  virtual void List(const std::string& prefix,
                    const std::function<void(const ObjectInfo&)>& each) = 0;

  using EachObject = std::function<void(const ObjectInfo&)>;
  using EachUnlisted = std::function<void(const std::string& folder, const Error& why)>;

  // As List, but a folder below that cannot be looked into is passed to `unlisted`, and what else
  // there is follows. A storage that has no folders does as List does.
  virtual void ListReadable(const std::string& prefix, const EachObject& each,
                            const EachUnlisted& unlisted);

  // Removes an object, and for a directory the folders that are empty then. One that does not exist
  // is no error.
  virtual void Delete(const std::string& name) = 0;

  // Whether the object exists; kDenied when a lock in the storage forbids to remove it.
  virtual bool IsRemovable(const std::string& name) { return Head(name).has_value(); }

  // Calls `each` for every unfinished upload whose name starts with `prefix`, whoever began it.
  // Leaves out the folders that ListReadable passes to `unlisted`.
  virtual void ListUnfinished(const std::string& prefix,
                              const std::function<void(const UnfinishedUpload&)>& each) = 0;

  // Ends an upload that ListUnfinished has named. One that is gone is no error.
  virtual void AbortUnfinished(const UnfinishedUpload& upload) = 0;

  // Whether of several that Put one object with `if_absent` at the same moment only one can
  // succeed. Of S3 stores some can tell that, some look first and write then, and some do not look.
  virtual bool CreatesAtomically() const { return false; }

  // A URL with which anybody can read the object for `expires` seconds (1 to 604800), whether it
  // exists or not. kInvalid for a storage that has no such URLs.
  virtual std::string Presign(const std::string& name, int expires);

  // The nearest place above the storage that holds something: where to look when the storage does
  // not exist, or is empty. Nothing where that cannot be asked for.
  virtual Surroundings LookAround() { return {}; }

  // Tries what backups and restores need of the storage, each step a row of `report`, and removes
  // what it has written. Throws kCancelled alone. Returns whether something may be left in the
  // request's folder.
  virtual bool Probe(const ProbeRequest& request, ProbeReport& report);
};

// True for a name that the contract above allows.
bool IsValidObjectName(const std::string& name) noexcept;

}  // namespace pgbackup
