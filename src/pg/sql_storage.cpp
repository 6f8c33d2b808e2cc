// Storage URLs for the functions in sql/parts: one parser reads them everywhere.
#include "shared/s3_options.h"
#include "shared/storage_parameters.h"
#include "shared/storage_url.h"

#include "pg/settings.h"

extern "C" {
PG_FUNCTION_INFO_V1(pgbackup_storage_error);
PG_FUNCTION_INFO_V1(pgbackup_is_same_storage);
PG_FUNCTION_INFO_V1(pgbackup_storage_place);
PG_FUNCTION_INFO_V1(pgbackup_s3_bucket);
PG_FUNCTION_INFO_V1(pgbackup_s3_option);
}

using namespace pgbackup;

namespace {

using Values = S3Values<char*, int>;

// Of the argument's text, which lives as long as the call; false for what is no URL.
bool ParseArgument(FunctionCallInfo fcinfo, int argument, StorageUrl* url, const char** error) {
  return ParseStorageUrl(text_to_cstring(PG_GETARG_TEXT_PP(argument)), url, error);
}

text* ToText(std::string_view bytes) {
  return cstring_to_text_with_len(bytes.data(), static_cast<int>(bytes.size()));
}

// What the URL says of an option; false when it says nothing.
bool ReadParameter(const StorageUrl& url, const S3Option<Values>& option, ParameterValue* value) {
  std::string_view rest = url.parameters;
  for (StorageParameter parameter; NextParameter(&rest, &parameter);)
    if (&kS3Options<Values>[parameter.option] == &option) return value->Decode(parameter.value);
  return false;
}

}  // namespace

// What is wrong with a storage URL, or NULL.
Datum pgbackup_storage_error(PG_FUNCTION_ARGS) {
  StorageUrl url;
  const char* error = nullptr;
  if (ParseArgument(fcinfo, 0, &url, &error)) PG_RETURN_NULL();
  PG_RETURN_TEXT_P(cstring_to_text(error));
}

// (url, other) → boolean. False for what is no URL.
Datum pgbackup_is_same_storage(PG_FUNCTION_ARGS) {
  StorageUrl first;
  StorageUrl second;
  const char* ignored = nullptr;
  PG_RETURN_BOOL(ParseArgument(fcinfo, 0, &first, &ignored) &&
                 ParseArgument(fcinfo, 1, &second, &ignored) &&
                 IsSamePlace(first, second, settings.s3.endpoint));
}

// (url) → the same without parameters and trailing slashes. What is no URL comes back as it is.
Datum pgbackup_storage_place(PG_FUNCTION_ARGS) {
  StorageUrl url;
  const char* ignored = nullptr;
  if (!ParseArgument(fcinfo, 0, &url, &ignored)) PG_RETURN_DATUM(PG_GETARG_DATUM(0));
  StringInfoData place;
  initStringInfo(&place);
  const auto add = [&place](std::string_view part) {
    appendBinaryStringInfo(&place, part.data(), static_cast<int>(part.size()));
  };
  if (url.scheme == StorageScheme::kFile) {
    add("file://");
    add(url.path);
  } else {
    add("s3://");
    add(url.bucket);
    if (!url.prefix.empty()) add("/");
    add(url.prefix);
  }
  PG_RETURN_TEXT_P(cstring_to_text_with_len(place.data, place.len));
}

// (url) → name of the bucket; NULL where there is none.
Datum pgbackup_s3_bucket(PG_FUNCTION_ARGS) {
  StorageUrl url;
  const char* ignored = nullptr;
  if (!ParseArgument(fcinfo, 0, &url, &ignored) || url.scheme != StorageScheme::kS3)
    PG_RETURN_NULL();
  PG_RETURN_TEXT_P(ToText(url.bucket));
}

// (url, name of an option) → its value for this storage: of the URL, else of the setting. NULL when
// it is not set, and for what is not in S3.
Datum pgbackup_s3_option(PG_FUNCTION_ARGS) {
  StorageUrl url;
  const char* ignored = nullptr;
  if (!ParseArgument(fcinfo, 0, &url, &ignored) || url.scheme != StorageScheme::kS3)
    PG_RETURN_NULL();
  const char* name = text_to_cstring(PG_GETARG_TEXT_PP(1));
  for (const S3Option<Values>& option : kS3Options<Values>) {
    if (strcmp(option.name, name) != 0) continue;
    ParameterValue value;
    const bool is_in_url = ReadParameter(url, option, &value);
    if (option.text != nullptr) {
      const char* setting = settings.s3.*option.text;
      const std::string_view chosen = is_in_url            ? value.text()
                                      : setting != nullptr ? std::string_view(setting)
                                                           : std::string_view();
      if (chosen.empty()) PG_RETURN_NULL();
      PG_RETURN_TEXT_P(ToText(chosen));
    }
    if (option.number != nullptr) {
      if (is_in_url && value.text().empty()) PG_RETURN_NULL();
      if (is_in_url) PG_RETURN_TEXT_P(ToText(value.text()));
      PG_RETURN_TEXT_P(cstring_to_text(psprintf("%d", settings.s3.*option.number)));
    }
    PG_RETURN_TEXT_P(cstring_to_text(settings.s3.*option.flag ? "on" : "off"));
  }
  elog(ERROR, "S3 has no option \"%s\"", name);
}
