#include "core/postgres/row_values.h"

#include <array>
#include <vector>

namespace pgbackup {
namespace {

constexpr std::string_view kCut = "…";
constexpr std::string_view kRaised = "a function of the database raised this error";

bool HasPrefix(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// `text` with everything from `begin` up to `end` taken out.
std::string Cut(std::string_view text, size_t begin, size_t end) {
  std::string rest(text.substr(0, begin));
  rest += kCut;
  if (end < text.size()) rest += text.substr(end);
  return rest;
}

// Opening and closing quotes of the server's translations: English, German, French, Chinese and
// others.
constexpr std::array<std::string_view, 8> kOpening = {"\"", "»", "«", "„", "“", "”", "‘", "「"};
constexpr std::array<std::string_view, 8> kClosing = {"\"", "»", "«", "“", "”", "„", "’", "」"};

bool StartsWithQuote(std::string_view text, size_t* length) {
  for (const std::string_view quote : kOpening) {
    if (!HasPrefix(text, quote)) continue;
    *length = quote.size();
    return true;
  }
  return false;
}

size_t FirstQuote(std::string_view text, size_t* length) {
  for (size_t at = 0; at < text.size(); ++at)
    if (StartsWithQuote(text.substr(at), length)) return at;
  return std::string_view::npos;
}

// Where the last closing quote begins; the end when there is none.
size_t LastQuote(std::string_view text) {
  size_t last = std::string_view::npos;
  for (const std::string_view quote : kClosing) {
    const size_t at = text.rfind(quote);
    if (at != std::string_view::npos && (last == std::string_view::npos || at > last)) last = at;
  }
  return last == std::string_view::npos ? text.size() : last;
}

// From the opening quote at `open` to the last quote, for a value may hold quotes, too.
std::string CutQuoted(std::string_view text, size_t open, size_t quote_length) {
  const size_t begin = open + quote_length;
  const size_t end = LastQuote(text);
  return Cut(text, begin, end < begin ? text.size() : end);
}

// Where `: "` has the quote; a value stands behind it, a name does not.
size_t QuoteBehindColon(std::string_view text, size_t* quote_length) {
  for (size_t at = text.find(": "); at != std::string_view::npos; at = text.find(": ", at + 1))
    if (at > 0 && StartsWithQuote(text.substr(at + 2), quote_length)) return at + 2;
  return std::string_view::npos;
}

// Data exceptions that quote a column or an encoding.
bool QuotesNames(std::string_view sqlstate) {
  return sqlstate == "22P04" || sqlstate == "22021" || sqlstate == "22P05";
}

bool IsDataException(std::string_view sqlstate) {
  return sqlstate.substr(0, 2) == "22";
}

// RAISE, ASSERT, and functions in other languages.
bool IsRaised(std::string_view sqlstate, std::string_view context) {
  if (sqlstate == "P0001" || sqlstate == "P0004" || sqlstate.substr(0, 2) == "38") return true;
  const std::string_view innermost = context.substr(0, context.find('\n'));
  return Contains(innermost, "PL/pgSQL") && Contains(innermost, " RAISE");
}

std::string CutMessage(std::string_view message, std::string_view sqlstate) {
  size_t length = 0;
  if (IsDataException(sqlstate) && !QuotesNames(sqlstate)) {
    const size_t quote = FirstQuote(message, &length);
    return quote == std::string_view::npos ? std::string(message)
                                           : CutQuoted(message, quote, length);
  }
  const size_t quote = QuoteBehindColon(message, &length);
  if (quote != std::string_view::npos) return CutQuoted(message, quote, length);
  // value "…" is out of range for type integer
  for (const std::string_view start : {"value \"", "time zone \"", "date/time field value \""})
    if (HasPrefix(message, start)) return CutQuoted(message, start.size() - 1, 1);
  return std::string(message);
}

// "Key (a)=(1) already exists.", "Failing row contains (1, 2)." A value may hold parentheses.
std::string CutDetail(std::string_view detail) {
  for (const std::string_view equals : {")=(", ") = ("}) {
    const size_t at = detail.find(equals);
    if (at == std::string_view::npos) continue;
    const size_t begin = at + equals.size();
    const size_t end = detail.rfind(')');
    return Cut(detail, begin, end < begin ? detail.size() : end);
  }
  std::string_view trimmed = detail;
  while (!trimmed.empty() && (trimmed.back() == '.' || trimmed.back() == '\n' ||
                              trimmed.back() == '\r' || trimmed.back() == ' '))
    trimmed.remove_suffix(1);
  const size_t open = trimmed.find('(');
  if (open != std::string_view::npos && trimmed.back() == ')')
    return Cut(detail, open + 1, trimmed.size() - 1);
  size_t length = 0;
  const size_t quote = QuoteBehindColon(detail, &length);
  return quote == std::string_view::npos ? std::string(detail) : CutQuoted(detail, quote, length);
}

// One line of a context; empty when it may be a part of a value or of a statement.
std::string CutContextLine(std::string_view line) {
  // COPY t, line 1, column a: "…"
  if (HasPrefix(line, "COPY ") || HasPrefix(line, "JSON ")) {
    const size_t colon = line.find(": ");
    return std::string(line.substr(0, colon));
  }
  for (const std::string_view start :
       {"PL/", "SQL function ", "while ", "automatic ", "processing "})
    if (HasPrefix(line, start)) return std::string(line);
  return {};
}

std::string CutContext(std::string_view context) {
  std::string kept;
  while (!context.empty()) {
    const size_t newline = context.find('\n');
    const std::string line = CutContextLine(context.substr(0, newline));
    if (!line.empty()) kept += (kept.empty() ? "" : "\n") + line;
    context.remove_prefix(newline == std::string_view::npos ? context.size() : newline + 1);
  }
  return kept;
}

// What a line of a program's output is.
enum class LineKind { kError, kNotice, kDetail, kContext, kHint, kOther, kContinued };

struct Line {
  LineKind kind = LineKind::kContinued;
  std::string_view head;  // up to the text
  std::string_view text;
  bool raised = false;  // by a function
};

// The length of "pg_restore: ", "psql:<stdin>:12: " or "psql:x.sql:12: "; 0 when there is none.
size_t ProgramPrefix(std::string_view line) {
  for (const std::string_view program : {"pg_restore: ", "pg_dump: ", "pg_dumpall: ", "psql: "})
    if (HasPrefix(line, program)) return program.size();
  if (!HasPrefix(line, "psql:")) return 0;
  const size_t end = line.find(": ");
  return end == std::string_view::npos ? 0 : end + 2;
}

bool TakeLabel(std::string_view line, size_t from, std::string_view label, LineKind kind,
               Line* result) {
  const size_t at = line.find(label, from);
  // A severity may follow words of the program; other labels begin the line.
  const bool anywhere = kind == LineKind::kError || kind == LineKind::kNotice;
  if (at == std::string_view::npos || (!anywhere && at != from)) return false;
  result->kind = kind;
  result->head = line.substr(0, at + label.size());
  result->text = line.substr(at + label.size());
  return true;
}

// "FEHLER:  ", "ОШИБКА:  ", "ERREUR :  ": one word at the start of a line or behind ": ".
bool TakeForeignLabel(std::string_view line, size_t from, Line* result) {
  const size_t at = line.find(":  ", from);
  if (at == std::string_view::npos) return false;
  result->kind = LineKind::kDetail;
  result->head = line.substr(0, at + 3);
  result->text = line.substr(at + 3);
  const std::string_view words = line.substr(from, at - from);
  if (Contains(words, ": ")) result->kind = LineKind::kError;  // "pg_restore: error: …: FEHLER:  "
  if (HasPrefix(result->text, "COPY ") || HasPrefix(result->text, "PL/"))
    result->kind = LineKind::kContext;
  return true;
}

Line ReadLine(std::string_view line) {
  struct Label {
    std::string_view text;
    LineKind kind;
  };
  constexpr Label kLabels[] = {
      {"DETAIL:  ", LineKind::kDetail},   {"CONTEXT:  ", LineKind::kContext},
      {"HINT:  ", LineKind::kHint},       {"QUERY:  ", LineKind::kOther},
      {"STATEMENT:  ", LineKind::kOther}, {"ERROR:  ", LineKind::kError},
      {"FATAL:  ", LineKind::kError},     {"PANIC:  ", LineKind::kError},
      {"WARNING:  ", LineKind::kNotice},  {"NOTICE:  ", LineKind::kNotice},
      {"INFO:  ", LineKind::kNotice},     {"LOG:  ", LineKind::kNotice}};
  Line result;
  const size_t from = ProgramPrefix(line);
  for (const Label& label : kLabels)
    if (TakeLabel(line, from, label.text, label.kind, &result)) return result;
  result.text = line;
  result.kind = LineKind::kOther;
  if (HasPrefix(line, "Command was: ") || HasPrefix(line, "LINE ")) return result;
  if (TakeForeignLabel(line, from, &result)) return result;
  if (from == 0) result.kind = LineKind::kContinued;
  return result;
}

// Rows are in no statement that we run, but an archive that was made elsewhere may have them.
std::string CutInserted(std::string_view line) {
  const size_t insert = line.find("INSERT INTO ");
  if (insert == std::string_view::npos) return std::string(line);
  const size_t values = line.find(" VALUES", insert);
  return values == std::string_view::npos ? std::string(line) : Cut(line, values + 8, line.size());
}

std::string CutLine(const Line& line) {
  std::string head(line.head);
  if (line.raised && line.kind != LineKind::kContext) return head + std::string(kRaised);
  switch (line.kind) {
    case LineKind::kError:
      return head + CutMessage(line.text, "");
    case LineKind::kNotice:
      return head + std::string(kCut);
    case LineKind::kDetail:
      return head + CutDetail(line.text);
    case LineKind::kContext: {
      const std::string kept = CutContextLine(line.text);
      return head + (kept.empty() ? std::string(kCut) : kept);
    }
    default:
      return head + CutInserted(line.text);
  }
}

std::vector<Line> ReadLines(std::string_view text) {
  std::vector<Line> lines;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    lines.push_back(ReadLine(text.substr(0, newline)));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  }
  return lines;
}

// A context that names RAISE is about the error or notice above it, with its detail and hint.
void MarkRaised(std::vector<Line>* lines) {
  for (size_t i = 0; i < lines->size(); ++i) {
    const Line& context = (*lines)[i];
    if (context.kind != LineKind::kContext || !IsRaised("", context.text)) continue;
    for (size_t j = i; j-- > 0;) {
      Line& above = (*lines)[j];
      above.raised = true;
      if (above.kind == LineKind::kError || above.kind == LineKind::kNotice) break;
    }
  }
}

}  // namespace

ServerMessage WithoutRowValues(ServerMessage error, std::string_view sqlstate) {
  const bool raised = IsRaised(sqlstate, error.context);
  error.context = CutContext(error.context);
  if (raised) {
    error.message = kRaised;
    error.detail.clear();
    error.hint.clear();
    return error;
  }
  error.message = CutMessage(error.message, sqlstate);
  // Of XML the detail is the document.
  if (sqlstate.substr(0, 4) == "2200" && sqlstate.size() == 5 && sqlstate[4] >= 'L')
    error.detail.clear();
  size_t length = 0;
  const size_t quote = IsDataException(sqlstate) && !QuotesNames(sqlstate)
                           ? FirstQuote(error.detail, &length)
                           : std::string_view::npos;
  error.detail = quote == std::string_view::npos ? CutDetail(error.detail)
                                                 : CutQuoted(error.detail, quote, length);
  return error;
}

std::string LinesWithoutRowValues(std::string_view text) {
  std::vector<Line> lines = ReadLines(text);
  MarkRaised(&lines);
  std::string kept;
  bool was_cut = false;
  for (const Line& line : lines) {
    // The rest of a value that had line breaks in it.
    if (line.kind == LineKind::kContinued && (was_cut || line.raised)) continue;
    const std::string cut = CutLine(line);
    if (line.kind != LineKind::kContinued)
      was_cut = line.raised || line.kind == LineKind::kNotice || line.kind == LineKind::kContext ||
                Contains(cut, kCut);
    if (!kept.empty()) kept += '\n';
    kept += cut;
  }
  return kept;
}

}  // namespace pgbackup
