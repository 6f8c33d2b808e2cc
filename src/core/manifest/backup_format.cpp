#include "core/manifest/backup_format.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace pgbackup {

DumpContent ParseDumpContent(const std::string& text) {
  for (const DumpContent content : {DumpContent::kAll, DumpContent::kSchema, DumpContent::kData})
    if (text == DumpContentName(content)) return content;
  throw Error(ErrorKind::kInvalid, fmt::format("content \"{}\" is not known", text), "",
              "Use all, schema or data.");
}

DumpFormat ParseDumpFormat(const std::string& text) {
  for (const DumpFormat format :
       {DumpFormat::kAuto, DumpFormat::kCustom, DumpFormat::kParallel, DumpFormat::kPlain})
    if (text == DumpFormatName(format)) return format;
  throw Error(ErrorKind::kInvalid, fmt::format("format \"{}\" is not known", text), "",
              "Use auto, custom, parallel or plain.");
}

const char* DumpContentName(DumpContent content) noexcept {
  switch (content) {
    case DumpContent::kSchema:
      return "schema";
    case DumpContent::kData:
      return "data";
    case DumpContent::kAll:
      break;
  }
  return "all";
}

const char* DumpFormatName(DumpFormat format) noexcept {
  switch (format) {
    case DumpFormat::kCustom:
      return "custom";
    case DumpFormat::kParallel:
      return "parallel";
    case DumpFormat::kPlain:
      return "plain";
    case DumpFormat::kAuto:
      break;
  }
  return "auto";
}

}  // namespace pgbackup
