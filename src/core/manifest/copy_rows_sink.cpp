#include "core/manifest/copy_rows_sink.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/sha256.h"

namespace pgbackup {
namespace {

// kCopyEnd as a line of its own. No row can hold it: COPY writes a backslash as two.
constexpr std::string_view kEnd = "\n\\.\n";

}  // namespace

void CopyRowsSink::ThrowDamaged(const char* what) const {
  throw Error(ErrorKind::kCorrupt, fmt::format("object \"{}\" is damaged", name_), what);
}

// Returns what follows the SQL before the rows.
std::string_view CopyRowsSink::TakeBegin(std::string_view text) {
  const size_t size = std::min(text.size(), begin_.size() - begun_);
  if (text.substr(0, size) != std::string_view(begin_).substr(begun_, size))
    ThrowDamaged("It does not begin with the COPY that the manifest describes.");
  begun_ += size;
  return text.substr(size);
}

void CopyRowsSink::Pass(std::string_view text) {
  if (text.empty()) return;
  if (held_is_begin_) {
    held_is_begin_ = false;
    text.remove_prefix(1);
  }
  next_->Write(AsBytes(text));
}

void CopyRowsSink::Write(std::span<const std::byte> data) {
  const std::string_view text =
      TakeBegin({reinterpret_cast<const char*>(data.data()), data.size()});
  if (text.empty()) return;
  // What is held and the beginning of what has come are looked at together, the rest in place.
  const std::string joint = held_ + std::string(text.substr(0, kEnd.size()));
  const bool joint_is_all = text.size() <= kEnd.size();
  const size_t in_joint = joint.find(kEnd);
  const size_t in_text = text.find(kEnd);
  if ((in_joint != std::string::npos && (!joint_is_all || in_joint + kEnd.size() < joint.size())) ||
      (in_text != std::string_view::npos && in_text + kEnd.size() < text.size()))
    ThrowDamaged("Something follows the end of its rows.");
  if (joint_is_all) {
    const size_t keep = std::min(joint.size(), kEnd.size());
    Pass(std::string_view(joint).substr(0, joint.size() - keep));
    held_ = joint.substr(joint.size() - keep);
  } else {
    Pass(held_);
    Pass(text.substr(0, text.size() - kEnd.size()));
    held_ = text.substr(text.size() - kEnd.size());
  }
}

void CopyRowsSink::Finish() {
  if (begun_ < begin_.size() || held_ != kEnd) ThrowDamaged("It ends before the end of its rows.");
  held_.resize(1);
  Pass(held_);
  next_->Finish();
}

}  // namespace pgbackup
