// What the tests of the pipeline and of manifests share: a storage in memory, and a sink that
// remembers what was done to it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/base/error.h"
#include "core/pipeline/sink.h"
#include "core/storage/storage.h"
#include "error_test_support.h"

namespace pgbackup {

struct SinkLog {
  std::string bytes;
  int finished = 0;
  int aborted = 0;
};

class LoggingSink final : public Sink {
 public:
  explicit LoggingSink(SinkLog* log) : log_(log) {}
  void Write(std::span<const std::byte> data) override {
    log_->bytes.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  void Finish() override { ++log_->finished; }
  void Abort() noexcept override { ++log_->aborted; }

 private:
  SinkLog* log_;
};

class MemoryStorage final : public Storage {
 public:
  explicit MemoryStorage(uint64_t max_object_size = 1 << 30) : max_(max_object_size) {}

  std::map<std::string, std::string> objects;
  std::set<std::string> fail_put;  // Put of these names throws

  const std::string& url() const override { return url_; }
  uint64_t MaxObjectSize() const override { return max_; }

  std::unique_ptr<Sink> Put(const std::string& name, const PutOptions& options) override {
    if (fail_put.count(name) != 0) throw Error(ErrorKind::kUnavailable, "no answer");
    if (options.if_absent && objects.count(name) != 0)
      throw Error(ErrorKind::kAlreadyExists, "it exists");
    return std::make_unique<Writer>(this, name);
  }

  void Get(const std::string& name, Sink& to, uint64_t offset, uint64_t length) override {
    const auto found = objects.find(name);
    if (found == objects.end()) throw Error(ErrorKind::kNotFound, "no object " + name);
    const std::string& text = found->second;
    const std::string part = text.substr(offset, length == kToTheEnd ? std::string::npos : length);
    to.Write(std::as_bytes(std::span(part.data(), part.size())));
  }

  std::optional<ObjectInfo> Head(const std::string& name) override {
    const auto found = objects.find(name);
    if (found == objects.end()) return std::nullopt;
    return ObjectInfo{name, found->second.size()};
  }

  void List(const std::string& prefix,
            const std::function<void(const ObjectInfo&)>& each) override {
    for (const auto& [name, text] : objects)
      if (name.compare(0, prefix.size(), prefix) == 0) each({name, text.size()});
  }

  void Delete(const std::string& name) override { objects.erase(name); }

  WallTime Now() const override { return {}; }
  void ListUnfinished(const std::string&,
                      const std::function<void(const UnfinishedUpload&)>&) override {}
  void AbortUnfinished(const UnfinishedUpload&) override {}

 private:
  class Writer final : public Sink {
   public:
    Writer(MemoryStorage* storage, std::string name) : storage_(storage), name_(std::move(name)) {}
    void Write(std::span<const std::byte> data) override {
      if (text_.size() + data.size() > storage_->max_)
        throw Error(ErrorKind::kInternal, "more than fits");
      text_.append(reinterpret_cast<const char*>(data.data()), data.size());
    }
    void Finish() override { storage_->objects[name_] = text_; }
    void Abort() noexcept override {}

   private:
    MemoryStorage* storage_;
    std::string name_, text_;
  };

  std::string url_ = "memory://test";
  uint64_t max_;
};

}  // namespace pgbackup
