// Passes a custom-format archive on with the rows of each table packed into large chunks, and shows
// what it holds as it streams past.
//
// pg_dump -Fc -Z0 writes every row as a chunk of its own, with its length before it, and pg_restore
// sends every chunk to the server as a message of its own. Where rows are short, that costs a
// restore more than the rows do. How an entry's data is cut into chunks means nothing, so this cuts
// anew: any pg_restore reads the result, faster.
//
// The layout is that of _CustomWriteFunc and _PrintTocData in PostgreSQL's pg_backup_custom.c.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/archive/toc_reader.h"
#include "core/pipeline/sink.h"

namespace pgbackup {

// Is shown an archive's contents in their order.
class ArchiveObserver {
 public:
  virtual ~ArchiveObserver() = default;
  virtual void OnEntry(TocEntry entry) = 0;  // of the table of contents
  // Some bytes of the data of that entry, of those of a table its rows in COPY's text format and
  // the end mark.
  virtual void OnData(int64_t entry_id, std::span<const std::byte> data) = 0;
  // A large object begins; some bytes of its contents.
  virtual void OnLargeObject(uint32_t /*oid*/) {}
  virtual void OnLargeObjectData(std::span<const std::byte> /*data*/) {}
};

class PackingSink final : public Sink {
 public:
  // Neither finishes nor aborts `next`, which outlives it as `observer` does.
  PackingSink(Sink& next, ArchiveObserver& observer, std::string object_name);

  // kTool when this is no archive.
  void Write(std::span<const std::byte> data) override;
  // kTool when the archive has ended within its table of contents or an entry's data.
  void Finish() override;
  void Abort() noexcept override {}

 private:
  using Bytes = std::span<const std::byte>;
  enum class Expects { kBlock, kEntryId, kLargeObject, kLength, kData };

  void TakeBlocks(Bytes data);
  Bytes TakeBlockType(Bytes data);
  Bytes TakeNumber(Bytes data);
  Bytes TakeData(Bytes data);
  void OnNumber(Bytes encoded);
  void EndChunks(Bytes zero);
  void WriteChunk();

  Sink& next_;
  ArchiveObserver& observer_;
  const std::string object_name_;
  TocReader reader_;
  Expects expects_ = Expects::kBlock;
  size_t number_size_ = 0;         // bytes of an encoded number
  std::vector<std::byte> number_;  // the bytes of one, as far as they have come
  bool large_objects_ = false;     // the block holds these
  int64_t entry_id_ = 0;
  uint64_t left_ = 0;             // of the chunk that is being read
  std::vector<std::byte> chunk_;  // that is being packed, behind room for its length
};

}  // namespace pgbackup
