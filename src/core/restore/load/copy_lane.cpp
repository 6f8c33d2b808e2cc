#include "core/restore/load/copy_lane.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/manifest/copy_rows_sink.h"
#include "core/manifest/stored_object.h"
#include "core/restore/load/fill_session.h"

namespace pgbackup {
namespace {

class CopyInSink final : public Sink {
 public:
  explicit CopyInSink(PostgresConnection& connection) : connection_(connection) {}
  void Write(std::span<const std::byte> data) override { connection_.WriteCopy(data); }
  void Finish() override { connection_.EndCopy(); }
  void Abort() noexcept override {}  // the connection's end is the COPY's

 private:
  PostgresConnection& connection_;
};

void CopyRows(const ManifestObject& object, const RestoreLaneContext& context) {
  // The statements are those of the object, which they are compared with.
  const std::string begin =
      CopyBegin(object.tables.front(), object.copy->columns, context.manifest.properties.encoding);
  PostgresConnection connection(context.settings, context.cancellation);
  PrepareFillSession(connection);
  connection.BeginCopy(begin);
  const std::unique_ptr<Sink> chain = ContentChain(
      std::make_unique<CopyRowsSink>(std::make_unique<CopyInSink>(connection), begin, object.name),
      object, context.progress);
  ReadStoredObject(context.storage, context.folder, object, *chain);
}

}  // namespace

void RunCopyLane(const ManifestObject& object, const RestoreLaneContext& context) {
  context.progress.tables.Begin(object.tables.front());
  try {
    CopyRows(object, context);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    const std::string table = QuoteQualifiedName(object.tables.front());
    const bool is_refused =
        error.kind() == ErrorKind::kDatabase || error.kind() == ErrorKind::kDenied;
    if (is_refused) CheckIsUndamaged(context.storage, context.folder, object);
    if (!is_refused || context.errors == nullptr)
      throw Error(error.kind(),
                  fmt::format("could not restore rows of table {} from {}: {}", table, object.name,
                              error.message()),
                  error.detail(), error.hint());
    context.errors->Add({fmt::format("rows of table {} in {}", table, object.name), error.message(),
                         error.detail()});
  }
  context.progress.tables.End(object.tables.front());
}

}  // namespace pgbackup
