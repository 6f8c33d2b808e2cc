#include "cli/storage_options.h"

#include <algorithm>

#include <CLI/CLI.hpp>  // IsMember and its like: from CLI11 2.6 on in a header of their own

#include "shared/s3_options.h"
#include "shared/storage_url.h"

namespace pgbackup {
namespace {

constexpr const char* kStorageGroup = "Storage";
constexpr const char* kWritingGroup = "Storage, for what is written";

// A validator out of a check that neither throws nor allocates and has its own words.
CLI::Validator CheckedBy(bool (*is_good)(const std::string&, const char**)) {
  return CLI::Validator(
      [is_good](std::string& text) {
        const char* why = "";
        return is_good(text, &why) ? std::string() : std::string(why);
      },
      "");
}

bool IsStorageUrl(const std::string& text, const char** why) {
  StorageUrl url;
  return ParseStorageUrl(text, &url, why);
}

using Option = S3Option<S3Settings::Values>;

// What a text has to be.
CLI::Validator TextOf(const Option& option) {
  return CLI::Validator(
      [&option](std::string& text) {
        const char* why = nullptr;
        if (option.check(text, &why)) return std::string();
        if (why != nullptr) return std::string(why);
        return "\"" + text + "\" is not " + option.wanted;
      },
      "");
}

void AddNumber(CLI::App& command, const std::string& name, const Option& option,
               S3Settings* settings, const char* group) {
  const auto unit = static_cast<uint64_t>(option.unit);
  CLI::Option* added = command.add_option(name, settings->*option.number, option.description)
                           ->type_name(option.placeholder)
                           ->check(CLI::Range(static_cast<uint64_t>(option.least) * unit,
                                              static_cast<uint64_t>(option.most) * unit))
                           ->group(group);
  if (unit != 1) added->transform(CLI::AsSizeValue(false));
}

// Those that writing needs, or those that all commands need.
void AddS3Options(CLI::App& command, bool for_writing, S3Settings* settings) {
  const char* group = for_writing ? kWritingGroup : kStorageGroup;
  for (const Option& option : kS3Options<S3Settings::Values>) {
    if (option.is_for_writing != for_writing) continue;
    std::string name = std::string("--s3-") + option.name;
    std::replace(name.begin(), name.end(), '_', '-');
    if (option.text != nullptr) {
      CLI::Option* added = command.add_option(name, settings->*option.text, option.description)
                               ->type_name(option.placeholder)
                               ->group(group);
      if (option.check != nullptr) added->check(TextOf(option));
    }
    if (option.number != nullptr) AddNumber(command, name, option, settings, group);
    if (option.flag != nullptr)
      command.add_flag(name, settings->*option.flag, option.description)->group(group);
  }
}

}  // namespace

void StorageOptions::AddTo(CLI::App& command) {
  command
      .add_option("-s,--storage", settings_.url,
                  "Where the backups are: s3://bucket/prefix or file:///path; as pgbackup.storage")
      ->type_name("URL")
      ->envname("PGBACKUP_STORAGE")
      ->check(CheckedBy(IsStorageUrl))
      ->required()
      ->group(kStorageGroup);
  AddS3Options(command, false, &settings_.s3);
}

void StorageOptions::AddWritingTo(CLI::App& command) {
  command
      .add_option("--bandwidth-limit", settings_.bandwidth_limit,
                  "Bytes per second at most, as 20MB")
      ->type_name("SIZE")
      ->group(kWritingGroup)
      ->transform(CLI::AsSizeValue(false));
  AddS3Options(command, true, &settings_.s3);
}

}  // namespace pgbackup
