#include "core/dump/lane_output.h"

#include <fmt/format.h>

#include "core/age/age_encrypt_sink.h"
#include "core/manifest/object_names.h"
#include "core/pipeline/codec.h"

namespace pgbackup {

LaneOutput::LaneOutput(const DumpObject& object, const LaneOutputContext& context)
    : folder_size_(context.folder.size()) {
  const std::string name =
      context.key_in_names.empty() ? object.name : WithRunKey(object.name, context.key_in_names);
  result_.name = fmt::format("{}{}{}", name, CodecSuffix(context.compression.codec),
                             context.keys == nullptr ? "" : kEncryptedSuffix);
  result_.kind = object.kind;
  result_.sections = object.sections;
  result_.tables = object.tables;
  result_.copy = object.copy;
  auto segments = std::make_unique<SegmentSink>(context.storage,
                                                fmt::format("{}/{}", context.folder, result_.name),
                                                &context.progress.stored_bytes);
  stored_ = segments.get();
  std::unique_ptr<Sink> stored = std::move(segments);
  if (context.keys != nullptr)
    stored =
        std::make_unique<AgeEncryptSink>(std::move(stored), *context.keys, context.environment);
  chain_ = std::make_unique<CountSink>(MakeEncoder(std::move(stored), context.compression),
                                       &context.progress.raw_bytes);
}

ManifestObject LaneOutput::Finish() {
  chain_->Finish();
  result_.raw_size = chain_->bytes();
  for (Segment segment : stored_->segments()) {
    segment.name.erase(0, folder_size_ + 1);
    result_.segments.push_back(std::move(segment));
  }
  return std::move(result_);
}

}  // namespace pgbackup
