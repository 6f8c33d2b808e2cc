#include "core/base/json.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/utf8.h"

namespace pgbackup {

namespace json = boost::json;

namespace {

json::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

std::string Copy(const json::string& text) {
  return std::string(text.data(), text.size());
}

// A text with a NUL is none that a server or a file system could have given.
bool IsText(const json::value& value) {
  return value.is_string() && value.get_string().find('\0') == json::string_view::npos;
}

}  // namespace

std::string JsonReader::NameOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const json::value* JsonReader::Find(std::string_view key) const {
  const json::value* value = object_->if_contains(View(key));
  return value == nullptr || value->is_null() ? nullptr : value;
}

const json::value& JsonReader::Need(std::string_view key) const {
  const json::value* value = Find(key);
  if (value == nullptr)
    throw Error(ErrorKind::kInvalid, fmt::format("{} has no field \"{}\"", what_, NameOf(key)));
  return *value;
}

void JsonReader::Refuse(std::string_view key, std::string_view wanted) const {
  throw Error(ErrorKind::kInvalid,
              fmt::format("field \"{}\" of {} is not {}", NameOf(key), what_, wanted));
}

std::string JsonReader::Text(std::string_view key) const {
  const json::value& value = Need(key);
  if (!IsText(value)) Refuse(key, "a text");
  return Copy(value.get_string());
}

std::string JsonReader::TextOr(std::string_view key, std::string_view otherwise) const {
  return Has(key) ? Text(key) : std::string(otherwise);
}

std::optional<std::string> JsonReader::OptionalText(std::string_view key) const {
  if (!Has(key)) return std::nullopt;
  return Text(key);
}

int64_t JsonReader::Integer(std::string_view key) const {
  const json::value& value = Need(key);
  if (!value.is_int64()) Refuse(key, "a whole number");
  return value.get_int64();
}

int64_t JsonReader::IntegerOr(std::string_view key, int64_t otherwise) const {
  return Has(key) ? Integer(key) : otherwise;
}

uint64_t JsonReader::Size(std::string_view key) const {
  const json::value& value = Need(key);
  if (value.is_uint64()) return value.get_uint64();
  const int64_t number = Integer(key);
  if (number < 0) Refuse(key, "a size");
  return static_cast<uint64_t>(number);
}

bool JsonReader::FlagOr(std::string_view key, bool otherwise) const {
  const json::value* value = Find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_bool()) Refuse(key, "true or false");
  return value->get_bool();
}

std::vector<std::string> JsonReader::Texts(std::string_view key) const {
  std::vector<std::string> texts;
  const json::value* value = Find(key);
  if (value == nullptr) return texts;
  if (!value->is_array()) Refuse(key, "an array of texts");
  for (const json::value& element : value->get_array()) {
    if (!IsText(element)) Refuse(key, "an array of texts");
    texts.push_back(Copy(element.get_string()));
  }
  return texts;
}

std::vector<uint64_t> JsonReader::Sizes(std::string_view key) const {
  std::vector<uint64_t> sizes;
  const json::value* value = Find(key);
  if (value == nullptr) return sizes;
  if (!value->is_array()) Refuse(key, "an array of sizes");
  for (const json::value& element : value->get_array()) {
    const bool is_size = element.is_uint64() || (element.is_int64() && element.get_int64() >= 0);
    if (!is_size) Refuse(key, "an array of sizes");
    sizes.push_back(element.to_number<uint64_t>());
  }
  return sizes;
}

JsonReader JsonReader::Object(std::string_view key) const {
  const json::value& value = Need(key);
  if (!value.is_object()) Refuse(key, "an object");
  return JsonReader(value.get_object(), what_, NameOf(key));
}

std::vector<JsonReader> JsonReader::Objects(std::string_view key) const {
  std::vector<JsonReader> objects;
  const json::value* value = Find(key);
  if (value == nullptr) return objects;
  if (!value->is_array()) Refuse(key, "an array of objects");
  for (const json::value& element : value->get_array()) {
    if (!element.is_object()) Refuse(key, "an array of objects");
    objects.emplace_back(element.get_object(), what_,
                         fmt::format("{}[{}]", NameOf(key), objects.size()));
  }
  return objects;
}

json::object ParseJsonObject(std::string_view text, std::string_view what) {
  try {
    json::value value = json::parse(View(text));
    if (value.is_object()) return std::move(value.get_object());
  } catch (const std::exception& e) {
    throw Error(ErrorKind::kInvalid, fmt::format("{} is not valid JSON: {}", what, e.what()));
  }
  throw Error(ErrorKind::kInvalid, fmt::format("{} is not a JSON object", what));
}

json::value JsonText(std::string_view text) {
  const std::string valid = ToValidUtf8(text);
  return json::value(View(valid));
}

json::value JsonText(const std::optional<std::string>& text) {
  return text ? JsonText(std::string_view(*text)) : json::value(nullptr);
}

json::value JsonTextOrNull(std::string_view text) {
  return text.empty() ? json::value(nullptr) : JsonText(text);
}

std::string AsciiJson(const json::value& value) {
  const std::string text = json::serialize(value);
  std::string ascii;
  ascii.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = byte(i);
    const size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    unsigned code = size == 1 ? first : first & (0xffu >> (size + 1));
    for (size_t k = 1; k < size && i + k < text.size(); ++k)
      code = code << 6 | (byte(i + k) & 0x3fu);
    if (code < 0x7f)
      ascii += static_cast<char>(code);
    else if (code < 0x10000)
      ascii += fmt::format("\\u{:04x}", code);
    else
      ascii += fmt::format("\\u{:04x}\\u{:04x}", 0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
    i += size;
  }
  return ascii;
}

json::array JsonTexts(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.push_back(JsonText(std::string_view(text)));
  return array;
}

}  // namespace pgbackup
