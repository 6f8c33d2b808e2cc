#include "core/integrity/content_check.h"

#include <fmt/format.h>

#include "core/archive/toc_reader.h"
#include "core/integrity/archive_contents.h"
#include "core/manifest/copy_rows_sink.h"
#include "core/pipeline/damaged_object.h"

namespace pgbackup {
namespace {

// Reads the table of contents at the head of an archive as it passes.
class ArchiveContentsSink final : public Sink {
 public:
  ArchiveContentsSink(std::unique_ptr<Sink> next, const Manifest& manifest,
                      const ManifestObject& object)
      : next_(std::move(next)),
        manifest_(manifest),
        object_(object),
        reader_([this](const TocEntry& entry) { tables_.Add(entry); }) {}

  void Write(std::span<const std::byte> data) override {
    if (is_readable_) ReadToc(data);
    next_->Write(data);
  }
  void Finish() override {
    if (is_readable_) {
      if (!reader_.IsComplete())
        throw DamagedObject(object_.name, "It ends within its table of contents.");
      CheckContents(tables_, manifest_, object_);
    }
    next_->Finish();
  }
  void Abort() noexcept override { next_->Abort(); }

 private:
  void ReadToc(std::span<const std::byte> data) {
    try {
      reader_.Read({reinterpret_cast<const char*>(data.data()), data.size()});
    } catch (const Error&) {
      // Of a version that is not known here, or no archive: pg_restore will tell.
      is_readable_ = false;
    }
  }

  std::unique_ptr<Sink> next_;
  const Manifest& manifest_;
  const ManifestObject& object_;
  bool is_readable_ = true;
  ArchiveTables tables_;
  TocReader reader_;
};

// Looks for a text near the end of a script: what pg_dump and pg_dumpall write when they are done.
class ScriptEndSink final : public Sink {
 public:
  ScriptEndSink(std::unique_ptr<Sink> next, std::string end, std::string name)
      : next_(std::move(next)), end_(std::move(end)), name_(std::move(name)) {}

  void Write(std::span<const std::byte> data) override {
    const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
    tail_ += text.substr(text.size() - std::min(text.size(), kTail));
    if (tail_.size() > kTail) tail_.erase(0, tail_.size() - kTail);
    next_->Write(data);
  }
  void Finish() override {
    if (tail_.find(end_) == std::string::npos)
      throw DamagedObject(name_,
                          "It does not end as scripts of pg_dump and pg_dumpall do when they "
                          "are complete.");
    next_->Finish();
  }
  void Abort() noexcept override { next_->Abort(); }

 private:
  static constexpr size_t kTail = 1000;  // a few lines follow what is looked for

  std::unique_ptr<Sink> next_;
  const std::string end_;
  const std::string name_;
  std::string tail_;
};

std::unique_ptr<Sink> ShapeCheck(std::unique_ptr<Sink> next, const Manifest& manifest,
                                 const ManifestObject& object) {
  switch (object.kind) {
    case ObjectKind::kArchive:
      return std::make_unique<ArchiveContentsSink>(std::move(next), manifest, object);
    case ObjectKind::kSql:
      return std::make_unique<ScriptEndSink>(std::move(next), "PostgreSQL database dump complete",
                                             object.name);
    case ObjectKind::kGlobals:
      return std::make_unique<ScriptEndSink>(
          std::move(next), "PostgreSQL database cluster dump complete", object.name);
    case ObjectKind::kContents:
      return next;
    case ObjectKind::kCopy:
      break;
  }
  return std::make_unique<CopyRowsSink>(
      std::move(next),
      CopyBegin(object.tables.front(), object.copy->columns, manifest.properties.encoding),
      object.name);
}

}  // namespace

std::unique_ptr<Sink> ContentCheck(std::unique_ptr<Sink> next, const Manifest& manifest,
                                   const ManifestObject& object, VerifyLevel level) {
  if (level == VerifyLevel::kChecksum) return next;
  return ShapeCheck(std::move(next), manifest, object);
}

}  // namespace pgbackup
