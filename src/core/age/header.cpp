#include "core/age/header.h"

#include <algorithm>

#include "core/base/base64.h"
#include "core/base/sha256.h"
#include "core/pipeline/damaged_object.h"

namespace pgbackup {
namespace {

constexpr std::string_view kVersionLine = "age-encryption.org/v1\n";
constexpr std::string_view kStanzaBegin = "-> ";
constexpr std::string_view kMacBegin = "---";
constexpr size_t kColumns = 64;  // of a full line of base64
// Far above what any number of recipients takes that people write down.
constexpr size_t kLargestHeader = 1 << 20;

SymmetricKey HeaderKey(const FileKey& key) {
  return HkdfSha256(key, {}, "header");
}

bool IsArgument(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 33 && c <= 126; });
}

class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  AgeHeader Parse() {
    AgeHeader header;
    if (text_.substr(0, kVersionLine.size()) != kVersionLine) ThrowBadHeader(name_);
    at_ = kVersionLine.size();
    while (text_.substr(at_, kStanzaBegin.size()) == kStanzaBegin)
      header.stanzas.push_back(ParseStanza());
    header.authenticated = text_.substr(0, at_ + kMacBegin.size());
    const std::string_view line = Line();
    const auto mac = line.substr(0, kMacBegin.size() + 1) == "--- "
                         ? FromAgeBase64(line.substr(kMacBegin.size() + 1))
                         : std::nullopt;
    if (header.stanzas.empty() || !mac || mac->size() != sizeof(HmacTag) || at_ != text_.size())
      ThrowBadHeader(name_);
    header.mac = *mac;
    return header;
  }

 private:
  // The next line, without its line feed.
  std::string_view Line() {
    const size_t end = text_.find('\n', at_);
    if (end == std::string_view::npos) ThrowBadHeader(name_);
    const std::string_view line = text_.substr(at_, end - at_);
    at_ = end + 1;
    return line;
  }

  Stanza ParseStanza() {
    Stanza stanza;
    std::string_view rest = Line().substr(kStanzaBegin.size());
    for (bool is_last = false; !is_last;) {
      const size_t blank = rest.find(' ');
      is_last = blank == std::string_view::npos;
      const std::string_view argument = rest.substr(0, blank);
      if (!IsArgument(argument)) ThrowBadHeader(name_);
      if (stanza.type.empty())
        stanza.type = argument;
      else
        stanza.arguments.emplace_back(argument);
      if (!is_last) rest.remove_prefix(blank + 1);
    }
    // Full lines, then one that is not full and may be empty.
    for (size_t columns = kColumns; columns == kColumns;) {
      const std::string_view line = Line();
      columns = line.size();
      const auto bytes = columns <= kColumns ? FromAgeBase64(line) : std::nullopt;
      if (!bytes) ThrowBadHeader(name_);
      stanza.body.insert(stanza.body.end(), bytes->begin(), bytes->end());
    }
    return stanza;
  }

  const std::string_view text_;
  const std::string_view name_;
  size_t at_ = 0;
};

}  // namespace

void ThrowBadHeader(std::string_view name) {
  throw DamagedObject(name, "It does not begin with a proper header of the age format.");
}

std::string ToAgeBase64(std::span<const std::byte> data) {
  std::string text = ToBase64(data);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

std::optional<std::vector<std::byte>> FromAgeBase64(std::string_view text) {
  if (text.find('=') != std::string_view::npos) return std::nullopt;
  std::string padded(text);
  while (padded.size() % 4 != 0) padded += '=';
  return FromBase64(padded);
}

std::string AgeHeaderText(const std::vector<Stanza>& stanzas, const FileKey& key) {
  std::string text(kVersionLine);
  for (const Stanza& stanza : stanzas) {
    text += kStanzaBegin;
    text += stanza.type;
    for (const std::string& argument : stanza.arguments) text += " " + argument;
    text += '\n';
    const std::string body = ToAgeBase64(stanza.body);
    for (size_t at = 0; at <= body.size(); at += kColumns) text += body.substr(at, kColumns) + "\n";
  }
  text += kMacBegin;
  const HmacTag mac = HmacSha256(HeaderKey(key), AsBytes(text));
  return text + " " + ToAgeBase64(mac) + "\n";
}

size_t AgeHeaderSize(std::string_view text, std::string_view name) {
  const size_t known = std::min(text.size(), kVersionLine.size());
  if (text.substr(0, known) != kVersionLine.substr(0, known)) ThrowBadHeader(name);
  const size_t mac = text.find("\n---");
  const size_t end = mac == std::string_view::npos ? mac : text.find('\n', mac + 1);
  if (std::min(end, text.size()) > kLargestHeader) ThrowBadHeader(name);
  return end == std::string_view::npos ? end : end + 1;
}

AgeHeader ParseAgeHeader(std::string_view text, std::string_view name) {
  return HeaderParser(text, name).Parse();
}

void CheckHeaderMac(const AgeHeader& header, const FileKey& key, std::string_view name) {
  if (!AreEqual(HmacSha256(HeaderKey(key), AsBytes(header.authenticated)), header.mac))
    throw DamagedObject(name, "The MAC of its header does not hold.");
}

}  // namespace pgbackup
