#include "shared/storage_parameters.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "shared/ascii.h"
#include "shared/option_check.h"
#include "shared/s3_options.h"

namespace pgbackup {
namespace {

// Values have no other use here than to name the rows' type.
constexpr const auto& kOptions = kS3Options<S3Values<const char*, int>>;
constexpr size_t kCount = std::size(kOptions);

// Static text that is put together while this is compiled.
struct FixedText {
  char text[512] = {};
  size_t size = 0;

  constexpr FixedText& Add(std::string_view more) {
    for (const char c : more) text[size++] = c;
    return *this;
  }
  constexpr FixedText& Add(int number) {
    if (number >= 10) Add(number / 10);
    text[size++] = static_cast<char>('0' + number % 10);
    return *this;
  }
};

constexpr auto kErrors = [] {
  std::array<FixedText, kCount> errors;
  for (size_t i = 0; i < kCount; ++i) {
    errors[i].Add("Parameter \"").Add(kOptions[i].name).Add("\" must be ");
    if (kOptions[i].is_file)
      errors[i].Add("an absolute path");
    else if (kOptions[i].number != nullptr)
      errors[i].Add("a whole number, ").Add(kOptions[i].most).Add(" at most");
    else
      errors[i].Add(kOptions[i].wanted);
    errors[i].Add(".");
  }
  return errors;
}();

constexpr FixedText kUnknownParameter = [] {
  size_t last = 0;
  for (size_t i = 0; i < kCount; ++i)
    if (kOptions[i].is_in_url) last = i;
  FixedText unknown;
  unknown.Add("The URL has a parameter that is not known. Known are ");
  for (size_t i = 0; i <= last; ++i)
    if (kOptions[i].is_in_url)
      unknown.Add(i == 0 ? "" : i == last ? " and " : ", ").Add(kOptions[i].name);
  return unknown.Add(".");
}();

// kCount: there is none of this name.
size_t Find(std::string_view name) noexcept {
  size_t i = 0;
  while (i < kCount && !(kOptions[i].is_in_url && kOptions[i].name == name)) ++i;
  return i;
}

bool IsGood(size_t option, std::string_view value) noexcept {
  const auto& row = kOptions[option];
  if (row.is_file) return value.empty() || value.front() == '/';
  if (row.number != nullptr) return IsWholeNumber(value, row.most);
  const char* ignored = nullptr;
  return row.check == nullptr || row.check(value, &ignored);
}

struct Pair {
  std::string_view name, value;
  bool has_value = false;
};

// Takes what stands before the next "&" off *rest, which is not empty.
Pair NextPair(std::string_view* rest) noexcept {
  const size_t end = std::min(rest->find('&'), rest->size());
  const std::string_view text(rest->data(), end);
  rest->remove_prefix(std::min(end + 1, rest->size()));
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return {text, {}, false};
  std::string_view value = text;
  value.remove_prefix(equals + 1);
  return {std::string_view(text.data(), equals), value, true};
}

const char* WhatIsWrongWith(const Pair& pair, std::string_view others) noexcept {
  const size_t option = Find(pair.name);
  if (option == kCount) return kUnknownParameter.text;
  if (!pair.has_value) return "Each parameter is key=value, and parameters are separated by \"&\".";
  while (!others.empty())
    if (NextPair(&others).name == pair.name) return "A parameter of the URL occurs twice.";
  ParameterValue value;
  if (!value.Decode(pair.value))
    return "A parameter of the URL is not percent-encoded as it should be, holds a control "
           "character, or is too long.";
  return IsGood(option, value.text()) ? nullptr : kErrors[option].text;
}

}  // namespace

bool ParameterValue::Decode(std::string_view encoded) noexcept {
  size_ = 0;
  for (size_t i = 0; i < encoded.size(); ++i) {
    char c = encoded[i];
    if (c == '%') {
      if (encoded.size() - i < 3) return false;
      const int high = HexDigit(encoded[i + 1]), low = HexDigit(encoded[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (IsControl(c) || size_ == kLongest) return false;
    text_[size_++] = c;
  }
  return true;
}

bool CheckParameters(std::string_view parameters, const char** error) noexcept {
  while (!parameters.empty()) {
    if (parameters.back() == '&') {
      *error = "The URL ends with \"&\".";
      return false;
    }
    const Pair pair = NextPair(&parameters);
    if (const char* wrong = WhatIsWrongWith(pair, parameters)) {
      *error = wrong;
      return false;
    }
  }
  return true;
}

bool NextParameter(std::string_view* rest, StorageParameter* parameter) noexcept {
  if (rest->empty()) return false;
  const Pair pair = NextPair(rest);
  const size_t option = Find(pair.name);
  if (option == kCount) return false;
  *parameter = {option, pair.value};
  return true;
}

}  // namespace pgbackup
