#include <cstring>

#include "shared/naming/name_element.h"
#include "shared/naming/name_template.h"

namespace pgbackup {
namespace {

constexpr const char* kNoTime = "The time of the run cannot be formatted by {time:PATTERN}.";

// Writes a name and keeps its parts apart. Once something did not fit, `error` is set and the rest
// is ignored.
class NameWriter {
 public:
  explicit NameWriter(char (&out)[kMaxNameLength + 1]) : out_(out) {}

  void AddLiteral(std::string_view text) {
    for (const char c : text) Put(c);
  }

  // Percent-encodes what could leave the part, confuse a tool or is no UTF-8.
  void AddValue(std::string_view value) {
    while (!value.empty()) {
      const size_t length = Utf8CharacterLength(value);
      if (length > 1)
        AddLiteral(value.substr(0, length));
      else if (IsSafe(value.front()))
        Put(value.front());
      else
        PutEncoded(static_cast<unsigned char>(value.front()));
      value.remove_prefix(length == 0 ? 1 : length);
    }
  }

  void AddId(int64_t id) {
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = id < 0 ? uint64_t{0} - static_cast<uint64_t>(id) : static_cast<uint64_t>(id);
    do {
      digits[--at] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    if (id < 0) AddValue("-");
    AddValue({digits + at, sizeof digits - at});
  }

  void AddTime(std::string_view pattern, const TimeFormatter& time) {
    char terminated[kMaxTimePattern + 1];
    std::memcpy(terminated, pattern.data(), pattern.size());
    terminated[pattern.size()] = '\0';
    char text[kMaxNamePartLength + 1];
    const size_t length = time.format(text, sizeof text, terminated, time.context);
    if (length == 0 && error_ == nullptr) error_ = kNoTime;
    AddValue({text, length});
  }

  // An empty part leaves no slash behind.
  void EndPart() {
    if (length_ == part_start_) return;
    Put('/');
    part_start_ = length_;
  }

  // Returns the length, or 0 with *error set.
  size_t Finish(const char** error) {
    if (length_ == part_start_ && length_ > 0) --length_;
    if (error_ != nullptr) length_ = 0;
    out_[length_] = '\0';
    *error = error_;
    return length_;
  }

 private:
  bool IsSafe(char c) const {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')
      return true;
    if (c == '-') return length_ > part_start_;
    if (c != '.') return false;
    // A dot is encoded while nothing but dots stands before it: no value makes "." or "..".
    for (size_t i = part_start_; i < length_; ++i)
      if (out_[i] != '.') return true;
    return false;
  }

  void PutEncoded(unsigned char byte) {
    constexpr char kHex[] = "0123456789ABCDEF";
    Put('%');
    Put(kHex[byte >> 4]);
    Put(kHex[byte & 15]);
  }

  void Put(char c) {
    if (error_ != nullptr) return;
    if (length_ == kMaxNameLength)
      error_ = kNameTooLong;
    else if (c != '/' && length_ - part_start_ == kMaxNamePartLength)
      error_ = kNamePartTooLong;
    else
      out_[length_++] = c;
  }

  char (&out_)[kMaxNameLength + 1];
  size_t length_ = 0;
  size_t part_start_ = 0;
  const char* error_ = nullptr;
};

void AddElement(const NameElement& element, const NameFields& fields, const TimeFormatter& time,
                NameWriter* name) {
  switch (element.kind) {
    case NameElementKind::kLiteral:
      return name->AddLiteral(element.text);
    case NameElementKind::kSlash:
      return name->EndPart();
    case NameElementKind::kCluster:
      return name->AddValue(fields.cluster);
    case NameElementKind::kInstance:
      return name->AddValue(fields.instance);
    case NameElementKind::kEnvironment:
      return name->AddValue(fields.environment);
    case NameElementKind::kDatabase:
      return name->AddValue(fields.database);
    case NameElementKind::kSchedule:
      return name->AddValue(fields.schedule);
    case NameElementKind::kLabel:
      return name->AddValue(fields.label);
    case NameElementKind::kType:
      return name->AddValue(fields.type);
    case NameElementKind::kId:
      return name->AddId(fields.id);
    case NameElementKind::kTime:
      return name->AddTime(element.text, time);
  }
}

}  // namespace

size_t ExpandName(std::string_view text, const NameFields& fields, const TimeFormatter& time,
                  char (&out)[kMaxNameLength + 1], const char** error) noexcept {
  out[0] = '\0';
  if (!CheckNameTemplate(text, error)) return 0;
  NameWriter name(out);
  while (!text.empty()) {
    NameElement element;
    if (!TakeNameElement(&text, &element, error)) return 0;
    AddElement(element, fields, time, &name);
  }
  return name.Finish(error);
}

}  // namespace pgbackup
