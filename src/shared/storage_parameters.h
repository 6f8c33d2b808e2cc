// What follows the "?" of a storage URL: settings that hold for this storage alone.
//
//   s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-1&profile=offsite
//
// Each stands in for the pgbackup.s3_* setting of its name (s3_options.h); an empty value means
// "not set", whatever the setting says. Values are percent-encoded ("%2C" is a comma; "+" is a
// plus). There is no key for a secret: URLs are settings, and settings are readable by monitoring
// roles.
//
// Used by the server module too, so nothing here throws or allocates.
#pragma once

#include <cstddef>
#include <string_view>

namespace pgbackup {

struct StorageParameter {
  size_t option = 0;       // index in kS3Options
  std::string_view value;  // still percent-encoded
};

// A value, decoded.
class ParameterValue {
 public:
  // False when the encoding is wrong, or the value holds a control character or is too long.
  bool Decode(std::string_view encoded) noexcept;
  std::string_view text() const noexcept { return {text_, size_}; }

 private:
  static constexpr size_t kLongest = 4096;
  char text_[kLongest];
  size_t size_ = 0;
};

// Whether `parameters` (without the "?") are known keys with good values, none twice. On failure
// points *error (static text, a whole sentence that repeats nothing of them) at what is wrong.
bool CheckParameters(std::string_view parameters, const char** error) noexcept;

// Takes the first parameter off *rest, which CheckParameters has found good. False at its end.
bool NextParameter(std::string_view* rest, StorageParameter* parameter) noexcept;

}  // namespace pgbackup
