#include "core/s3/s3_settings.h"

#include <string_view>

#include "shared/storage_parameters.h"

namespace pgbackup {
namespace {

void Apply(size_t option, const std::string& value, S3Settings* settings) {
  const auto& row = kS3Options<S3Settings::Values>[option];
  if (row.text != nullptr) settings->*row.text = value;
  if (row.number != nullptr)
    settings->*row.number =
        value.empty() ? 0 : std::stoull(value) * static_cast<uint64_t>(row.unit);
}

}  // namespace

S3Settings::S3Settings() {
  for (const auto& row : kS3Options<Values>)
    if (row.number != nullptr)
      this->*row.number =
          static_cast<uint64_t>(row.initial_number) * static_cast<uint64_t>(row.unit);
}

S3Settings WithParameters(S3Settings settings, const StorageUrl& url) {
  std::string_view rest = url.parameters;
  for (StorageParameter parameter; NextParameter(&rest, &parameter);) {
    ParameterValue value;
    if (value.Decode(parameter.value))
      Apply(parameter.option, std::string(value.text()), &settings);
  }
  return settings;
}

}  // namespace pgbackup
