// Typed reading of JSON that somebody else wrote (a job, a manifest).
//
// Every accessor throws kInvalid with the full name of the field, e.g.
// "field \"options.jobs\" of the job is not a whole number". A field that is null counts as absent;
// fields nobody asks for are ignored. A text that holds a NUL is none.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgbackup {

class JsonReader {
 public:
  // `what` is how messages call the document, e.g. "the job". The object outlives the reader.
  JsonReader(const boost::json::object& object, std::string what, std::string path = {})
      : object_(&object), what_(std::move(what)), path_(std::move(path)) {}

  bool Has(std::string_view key) const { return Find(key) != nullptr; }

  std::string Text(std::string_view key) const;
  std::string TextOr(std::string_view key, std::string_view otherwise) const;
  std::optional<std::string> OptionalText(std::string_view key) const;
  int64_t Integer(std::string_view key) const;
  int64_t IntegerOr(std::string_view key, int64_t otherwise) const;
  // A whole number that is not negative.
  uint64_t Size(std::string_view key) const;
  bool FlagOr(std::string_view key, bool otherwise) const;
  // An array of texts; absent is empty.
  std::vector<std::string> Texts(std::string_view key) const;
  // An array of whole numbers that are not negative; absent is empty.
  std::vector<uint64_t> Sizes(std::string_view key) const;
  JsonReader Object(std::string_view key) const;
  // An array of objects; absent is empty.
  std::vector<JsonReader> Objects(std::string_view key) const;

  // The object that is read.
  const boost::json::object& object() const { return *object_; }

  // The field's name for a message, e.g. "options.jobs".
  std::string NameOf(std::string_view key) const;

 private:
  const boost::json::value* Find(std::string_view key) const;
  const boost::json::value& Need(std::string_view key) const;
  [[noreturn]] void Refuse(std::string_view key, std::string_view wanted) const;

  const boost::json::object* object_;
  std::string what_;
  std::string path_;
};

// Parses `text`, which must be one JSON object; kInvalid with the parser's words otherwise.
boost::json::object ParseJsonObject(std::string_view text, std::string_view what);

// A JSON value for a text that may not be UTF-8, and for one that may be absent.
boost::json::value JsonText(std::string_view text);
boost::json::value JsonText(const std::optional<std::string>& text);
// Of an empty text null.
boost::json::value JsonTextOrNull(std::string_view text);

// The value as JSON in ASCII: a reader in any encoding can take it, and decide for itself what to
// do about a character that it cannot represent.
std::string AsciiJson(const boost::json::value& value);

// An array of such values.
boost::json::array JsonTexts(const std::vector<std::string>& texts);

}  // namespace pgbackup
