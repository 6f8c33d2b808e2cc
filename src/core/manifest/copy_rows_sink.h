// Takes the SQL around the rows of an object of kind `copy` off (table_rows.h): passes on the rows
// alone, for COPY.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/pipeline/sink.h"

namespace pgbackup {

class CopyRowsSink final : public Sink {
 public:
  // `begin` is what the object has to begin with, `name` the object's, for messages.
  CopyRowsSink(std::unique_ptr<Sink> next, std::string begin, std::string name)
      : next_(std::move(next)), begin_(std::move(begin)), name_(std::move(name)) {}

  // Throws kCorrupt when the object begins otherwise, or goes on after the line that ends the rows.
  void Write(std::span<const std::byte> data) override;
  // Throws kCorrupt when that line has not come.
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

 private:
  std::string_view TakeBegin(std::string_view text);
  void Pass(std::string_view text);
  [[noreturn]] void ThrowDamaged(const char* what) const;

  std::unique_ptr<Sink> next_;
  const std::string begin_;
  const std::string name_;
  size_t begun_ = 0;  // bytes of begin_ that have come
  // The last bytes that have come, which may be the end. At first the line break before the rows,
  // so that an end without rows looks like any other.
  std::string held_ = "\n";
  bool held_is_begin_ = true;  // the first byte held is that line break, no row's
};

}  // namespace pgbackup
