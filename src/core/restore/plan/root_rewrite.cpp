#include "core/restore/plan/root_rewrite.h"

#include "core/archive/archived_text.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/postgres/quoting.h"

namespace pgbackup {

RootRewrite::RootRewrite(std::unique_ptr<Sink> next, const ArchiveSelection& part)
    : next_(std::move(next)), part_(part), reader_(toc_) {}

void RootRewrite::Write(std::span<const std::byte> data) {
  if (has_passed_) return next_->Write(data);
  const std::string_view bytes(reinterpret_cast<const char*>(data.data()), data.size());
  head_ += bytes;
  try {
    if (!reader_.Read(bytes)) return;
    const std::string behind = head_.substr(head_.size() - reader_.bytes_behind());
    head_.resize(head_.size() - behind.size());
    // Equal statements come in the order of their entries, and lengths keep them from being found
    // within other texts.
    size_t from = 0;
    for (const TocEntry& entry : toc_.entries)
      if (!entry.root.empty()) Rewrite(entry, &from);
    head_ += behind;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) throw;
  }
  PassHead();
}

void RootRewrite::Rewrite(const TocEntry& entry, size_t* from) {
  const std::string old = ArchivedText(entry.copy, reader_.integer_size());
  const size_t at = head_.find(old, *from);
  if (at == std::string::npos) return;
  *from = at + old.size();
  const auto root = part_.roots.find({entry.schema, entry.tag});
  const std::string begin = "COPY " + entry.root + " ";
  if (root == part_.roots.end() || !entry.copy.starts_with(begin)) return;
  const std::string copy = ArchivedText(
      "COPY " + QuoteQualifiedName(root->second) + " " + entry.copy.substr(begin.size()),
      reader_.integer_size());
  head_.replace(at, old.size(), copy);
  *from = at + copy.size();
}

void RootRewrite::PassHead() {
  has_passed_ = true;
  next_->Write(AsBytes(head_));
  std::string().swap(head_);
}

void RootRewrite::Finish() {
  if (!has_passed_) PassHead();
  next_->Finish();
}

}  // namespace pgbackup
