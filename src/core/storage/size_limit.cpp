#include "core/storage/size_limit.h"

#include <fmt/format.h>

#include "core/base/byte_size.h"
#include "core/base/error.h"

namespace pgbackup {
namespace {

class LimitedSink final : public Sink {
 public:
  LimitedSink(std::unique_ptr<Sink> next, uint64_t limit, std::atomic<uint64_t>& taken)
      : next_(std::move(next)), limit_(limit), taken_(taken) {}

  void Write(std::span<const std::byte> data) override {
    if (taken_.fetch_add(data.size()) + data.size() > limit_)
      throw Error(ErrorKind::kInvalid,
                  fmt::format("the backup is larger than pgbackup.max_size ({}) and was stopped",
                              InByteUnits(limit_)),
                  {}, "Raise pgbackup.max_size, or leave tables out.");
    next_->Write(data);
  }
  void Finish() override { next_->Finish(); }
  void Abort() noexcept override { next_->Abort(); }

 private:
  const std::unique_ptr<Sink> next_;
  const uint64_t limit_;
  std::atomic<uint64_t>& taken_;
};

}  // namespace

std::unique_ptr<Sink> SizeLimit::Put(const std::string& name, const PutOptions& options) {
  std::unique_ptr<Sink> next = ForwardingStorage::Put(name, options);
  if (limit_ == 0) return next;
  return std::make_unique<LimitedSink>(std::move(next), limit_, taken_);
}

}  // namespace pgbackup
