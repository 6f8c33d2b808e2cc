#include "core/integrity/object_proof.h"

#include <algorithm>

#include "core/archive/toc_reader.h"
#include "core/integrity/content_check.h"
#include "core/manifest/stored_object.h"
#include "core/pipeline/buffer_sink.h"
#include "core/pipeline/damaged_object.h"
#include "core/pipeline/null_sink.h"
#include "core/pipeline/pump.h"
#include "core/process/child_process.h"
#include "core/process/memory_file.h"
#include "core/process/tool_error.h"

namespace pgbackup {
namespace {

constexpr size_t kMaxListSize = 1 << 30;
constexpr size_t kUnknownHeadSize = 64 << 20;

// Keeps an archive up to the end of its table of contents, which is all that pg_restore --list
// reads. Of a version that is not known here, which pg_restore may know, it keeps plenty.
class ArchiveHeadSink final : public Sink {
 public:
  ArchiveHeadSink(std::string* head, std::string name)
      : head_(*head), name_(std::move(name)), reader_([](const TocEntry&) {}) {}

  void Write(std::span<const std::byte> data) override {
    if (reader_.IsComplete() || (!is_known_ && head_.size() >= kUnknownHeadSize)) return;
    const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
    if (head_.size() + text.size() > LargestInMemory())
      throw DamagedObject(name_, "Its table of contents is impossibly long.");
    head_ += text;
    if (is_known_) Follow(text);
  }
  void Finish() override {}
  void Abort() noexcept override {}

 private:
  void Follow(std::string_view text) {
    try {
      reader_.Read(text);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInvalid) throw;
      is_known_ = false;
    }
  }

  std::string& head_;
  const std::string name_;
  TocReader reader_;
  bool is_known_ = true;
};

void ReadThrough(std::unique_ptr<Sink> to, const ManifestObject& object,
                 const ObjectProofContext& context) {
  const std::unique_ptr<Sink> chain =
      ContentChain(ContentCheck(std::move(to), context.manifest, object, VerifyLevel::kArchive),
                   object, context.progress);
  ReadStoredObject(context.storage, context.folder, object, *chain);
}

// What pg_restore lists of the archive.
ObjectProof List(const std::string& head, const std::optional<std::string>& list,
                 const std::string& name, const ObjectProofContext& context) {
  const MemoryFile archive(head);
  const MemoryFile wanted(list.value_or(""));
  ChildSpec spec;
  spec.program = FindProgram(context.programs, "pg_restore");
  spec.environment = context.programs.environment;
  spec.pipe_output = true;
  spec.inherited = {archive.fd(), wanted.fd()};
  spec.arguments = {"--list", "/proc/self/fd/3"};
  if (list) spec.arguments.emplace_back("--use-list=/proc/self/fd/4");
  ChildProcess child(spec);
  BufferSink output(kMaxListSize, "the list of pg_restore");
  Pump(child.output(), output, context.cancellation);
  const ExitStatus status = child.Wait(context.cancellation);
  if (!status.Succeeded()) throw ToolError("pg_restore", name, status, child.ErrorTail());
  return CountListed(output.text());
}

}  // namespace

// Lines are `215; 1259 16385 TABLE public t owner`, comments begin with a semicolon.
ObjectProof CountListed(std::string_view list) {
  ObjectProof proof;
  proof.entries = 0;
  while (!list.empty()) {
    std::string_view line = list.substr(0, list.find('\n'));
    list.remove_prefix(std::min(line.size() + 1, list.size()));
    const size_t id = line.find("; ");
    if (id == std::string_view::npos || id == 0) continue;
    ++*proof.entries;
    line.remove_prefix(id + 2);
    for (int i = 0; i < 2; ++i) line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
    const auto begins = [&](std::string_view kind) { return line.substr(0, kind.size()) == kind; };
    if (begins("TABLE ") && !begins("TABLE DATA ") && !begins("TABLE ATTACH ")) ++proof.tables;
  }
  return proof;
}

ObjectProof ProveObject(const ManifestObject& object, const std::optional<std::string>& list,
                        const ObjectProofContext& context) {
  if (object.kind != ObjectKind::kArchive) {
    ReadThrough(std::make_unique<NullSink>(), object, context);
    return {};
  }
  std::string head;
  ReadThrough(std::make_unique<ArchiveHeadSink>(&head, object.name), object, context);
  return List(head, list, object.name, context);
}

}  // namespace pgbackup
