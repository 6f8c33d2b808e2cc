#include "core/archive/packing_sink.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr size_t kChunk = 64 << 10;
constexpr std::byte kTableData{1}, kLargeObjects{3};

// A sign byte, then the magnitude, lowest byte first.
int64_t Decode(std::span<const std::byte> encoded) {
  uint64_t value = 0;
  for (size_t i = encoded.size(); i > 1; --i)
    value = value << 8 | std::to_integer<uint64_t>(encoded[i - 1]);
  return encoded[0] != std::byte{0} ? -static_cast<int64_t>(value) : static_cast<int64_t>(value);
}

void Encode(uint64_t value, std::span<std::byte> encoded) {
  encoded[0] = std::byte{0};
  for (std::byte& byte : encoded.subspan(1)) {
    byte = static_cast<std::byte>(value & 255);
    value >>= 8;
  }
}

}  // namespace

PackingSink::PackingSink(Sink& next, ArchiveObserver& observer, std::string object_name)
    : next_(next),
      observer_(observer),
      object_name_(std::move(object_name)),
      reader_([this](TocEntry entry) { observer_.OnEntry(std::move(entry)); }) {}

void PackingSink::Write(Bytes data) {
  if (!reader_.IsComplete()) {
    const bool complete = reader_.Read({reinterpret_cast<const char*>(data.data()), data.size()});
    const size_t behind = complete ? reader_.bytes_behind() : 0;
    next_.Write(data.first(data.size() - behind));
    if (!complete) return;
    number_size_ = 1 + static_cast<size_t>(reader_.integer_size());
    chunk_.reserve(number_size_ + kChunk);
    chunk_.resize(number_size_);
    data = data.last(behind);
  }
  TakeBlocks(data);
}

void PackingSink::TakeBlocks(Bytes data) {
  while (!data.empty()) {
    switch (expects_) {
      case Expects::kBlock:
        data = TakeBlockType(data);
        break;
      case Expects::kData:
        data = TakeData(data);
        break;
      default:
        data = TakeNumber(data);
    }
  }
}

PackingSink::Bytes PackingSink::TakeBlockType(Bytes data) {
  if (data[0] != kTableData && data[0] != kLargeObjects)
    throw Error(ErrorKind::kTool, fmt::format("object \"{}\" has a block of unknown type {}",
                                              object_name_, std::to_integer<int>(data[0])));
  large_objects_ = data[0] == kLargeObjects;
  next_.Write(data.first(1));
  expects_ = Expects::kEntryId;
  return data.subspan(1);
}

PackingSink::Bytes PackingSink::TakeNumber(Bytes data) {
  if (number_.empty() && data.size() >= number_size_) {
    OnNumber(data.first(number_size_));
    return data.subspan(number_size_);
  }
  const Bytes part = data.first(std::min(number_size_ - number_.size(), data.size()));
  number_.insert(number_.end(), part.begin(), part.end());
  if (number_.size() == number_size_) {
    OnNumber(number_);
    number_.clear();
  }
  return data.subspan(part.size());
}

void PackingSink::OnNumber(Bytes encoded) {
  const int64_t value = Decode(encoded);
  if (expects_ == Expects::kLength) {
    if (value == 0) return EndChunks(encoded);
    if (value < 0)
      throw Error(ErrorKind::kTool,
                  fmt::format("object \"{}\" has a chunk of impossible length", object_name_));
    left_ = static_cast<uint64_t>(value);
    expects_ = Expects::kData;
    return;
  }
  next_.Write(encoded);
  if (expects_ == Expects::kEntryId) {
    entry_id_ = value;
    expects_ = large_objects_ ? Expects::kLargeObject : Expects::kLength;
  } else {
    // A large object's OID; 0 ends the block.
    expects_ = value == 0 ? Expects::kBlock : Expects::kLength;
    if (value != 0) observer_.OnLargeObject(static_cast<uint32_t>(value));
  }
}

PackingSink::Bytes PackingSink::TakeData(Bytes data) {
  const Bytes part = data.first(std::min<uint64_t>(left_, data.size()));
  if (large_objects_)
    observer_.OnLargeObjectData(part);
  else
    observer_.OnData(entry_id_, part);
  const size_t full = number_size_ + kChunk;
  Bytes rest = part;
  while (!rest.empty()) {
    const Bytes fitting = rest.first(std::min(full - chunk_.size(), rest.size()));
    chunk_.insert(chunk_.end(), fitting.begin(), fitting.end());
    if (chunk_.size() == full) WriteChunk();
    rest = rest.subspan(fitting.size());
  }
  left_ -= part.size();
  if (left_ == 0) expects_ = Expects::kLength;
  return data.subspan(part.size());
}

void PackingSink::WriteChunk() {
  if (chunk_.size() == number_size_) return;
  Encode(chunk_.size() - number_size_, std::span(chunk_).first(number_size_));
  next_.Write(chunk_);
  chunk_.resize(number_size_);
}

void PackingSink::EndChunks(Bytes zero) {
  WriteChunk();
  next_.Write(zero);
  expects_ = large_objects_ ? Expects::kLargeObject : Expects::kBlock;
}

void PackingSink::Finish() {
  if (!reader_.IsComplete())
    throw Error(ErrorKind::kTool,
                fmt::format("object \"{}\" ends within its table of contents", object_name_));
  if (expects_ != Expects::kBlock)
    throw Error(ErrorKind::kTool, fmt::format("object \"{}\" ends within the data of entry {}",
                                              object_name_, entry_id_));
}

}  // namespace pgbackup
