#include "core/manifest/marks.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/iso_time.h"
#include "core/base/json.h"
#include "core/manifest/manifest_name.h"
#include "core/manifest/manifest_store.h"
#include "core/storage/small_object.h"

namespace pgbackup {
namespace {

constexpr int kMarksVersion = 1;
constexpr size_t kChecksumSize = 64;
constexpr size_t kLongestTime = 40;

void CheckMarksTime(const char* field, const std::string& text) {
  // One that a server takes, too.
  if (!text.empty() && text.size() <= kLongestTime && text.back() == 'Z' &&
      !text.starts_with("0000") && ParseIsoTime(text))
    return;
  throw Error(ErrorKind::kInvalid, fmt::format("field \"{}\" of the marks is no time", field));
}

void CheckMarks(const Marks& marks) {
  if (!IsValidObjectName(marks.file_name))
    throw Error(ErrorKind::kInvalid, "the marks name an impossible folder");
  if (marks.checksum.size() != kChecksumSize ||
      marks.checksum.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Error(ErrorKind::kInvalid, "field \"manifest\" of the marks is no SHA-256");
  CheckMarksTime("changed_at", marks.changed_at);
  if (marks.verified_at.empty() != marks.verified_level.empty())
    throw Error(ErrorKind::kInvalid, "the marks tell half of a verification");
  if (marks.verified_at.empty()) return;
  CheckMarksTime("verified_at", marks.verified_at);
  if (marks.verified_level != "checksum" && marks.verified_level != "archive" &&
      marks.verified_level != "restore")
    throw Error(ErrorKind::kInvalid, "the marks tell an unknown level of verification");
}

bool IsLater(const std::string& text, WallTime limit) {
  const std::optional<WallTime> time = ParseIsoTime(text);
  return time && *time > limit;
}

// Why the MAC of what lies there does not make it believed; empty when it does.
std::string WhyNotSigned(const std::string& text, const MarksRules& rules) {
  if (rules.keys == nullptr) return {};
  switch (rules.keys->Check(text)) {
    case ManifestKeys::Finding::kOurs:
      return {};
    case ManifestKeys::Finding::kUnsigned:
      return rules.allow_unsigned ? "" : "they have no MAC, and pgbackup.manifest_key_file is set";
    case ManifestKeys::Finding::kWrong:
      break;
  }
  return "their MAC is wrong";
}

std::string WhyNotOf(const Marks& marks, const std::string& folder, const std::string& checksum,
                     const MarksRules& rules) {
  if (marks.checksum != checksum || !IsSameFolder(marks.file_name, folder))
    return "they are those of another backup";
  if (rules.latest &&
      (IsLater(marks.changed_at, *rules.latest) || IsLater(marks.verified_at, *rules.latest)))
    return "they are from the future";
  return {};
}

}  // namespace

std::string MarksText(const Marks& marks, const ManifestKeys* keys) {
  CheckMarks(marks);
  boost::json::object object;
  object["version"] = kMarksVersion;
  object["file_name"] = JsonText(std::string_view(marks.file_name));
  object["manifest"] = marks.checksum;
  object["pinned"] = marks.pinned;
  object["verified_at"] = JsonTextOrNull(marks.verified_at);
  object["verified_level"] = JsonTextOrNull(marks.verified_level);
  object["changed_at"] = marks.changed_at;
  const std::string text = boost::json::serialize(object) + "\n";
  return keys == nullptr ? text : keys->Signed(text);
}

Marks ParseMarks(std::string_view text) {
  const boost::json::object object = ParseJsonObject(text, "the object with the marks");
  const JsonReader reader(object, "the marks");
  const int64_t version = reader.Integer("version");
  if (version != kMarksVersion)
    throw Error(ErrorKind::kInvalid, fmt::format("the marks have the unknown version {}", version));
  Marks marks;
  marks.file_name = reader.Text("file_name");
  marks.checksum = reader.Text("manifest");
  if (!reader.Has("pinned"))
    throw Error(ErrorKind::kInvalid, "field \"pinned\" of the marks is missing");
  marks.pinned = reader.FlagOr("pinned", false);
  marks.verified_at = reader.TextOr("verified_at", "");
  marks.verified_level = reader.TextOr("verified_level", "");
  marks.changed_at = reader.Text("changed_at");
  CheckMarks(marks);
  return marks;
}

std::string MarksObjectName(const std::string& folder) {
  return fmt::format("{}/{}", folder, kMarksName);
}

FoundMarks ReadMarks(Storage& storage, const std::string& folder, const std::string& checksum,
                     const MarksRules& rules) {
  FoundMarks found;
  try {
    const std::optional<std::string> text = ReadSmallObject(storage, MarksObjectName(folder));
    if (!text) return found;
    if (text->empty()) {
      found.ignored = "the object is empty or longer than 64 KiB";
      return found;
    }
    found.ignored = WhyNotSigned(*text, rules);
    if (!found.ignored.empty()) return found;
    Marks marks = ParseMarks(*text);
    found.ignored = WhyNotOf(marks, folder, checksum, rules);
    if (found.ignored.empty()) found.marks = std::move(marks);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid && error.kind() != ErrorKind::kCorrupt &&
        error.kind() != ErrorKind::kDenied)
      throw;
    found.ignored = error.message();
  }
  return found;
}

}  // namespace pgbackup
