#include "cli/table.h"

#include <unistd.h>

#include <algorithm>

#include "cli/printable.h"

namespace pgbackup {
namespace {

// Characters, as a terminal counts them, of text in UTF-8.
size_t WidthOf(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string PaddedRow(const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = PrintableInLine(cells[i]);
    line += cell;
    if (i + 1 < cells.size()) line.append(widths[i] - WidthOf(cell) + 2, ' ');
  }
  return line + "\n";
}

std::string TabbedRow(const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i)
    line += (i == 0 ? "" : "\t") + PrintableInLine(cells[i]);
  return line + "\n";
}

}  // namespace

bool IsOutputTerminal() {
  return isatty(STDOUT_FILENO) == 1;
}

std::string TableText(const Table& table, bool on_terminal) {
  std::string text;
  if (!on_terminal) {
    for (const auto& row : table.rows) text += TabbedRow(row);
    return text;
  }
  std::vector<size_t> widths;
  for (const std::string& title : table.titles) widths.push_back(WidthOf(title));
  for (const auto& row : table.rows)
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], WidthOf(PrintableInLine(row[i])));
  text = PaddedRow(table.titles, widths);
  for (const auto& row : table.rows) text += PaddedRow(row, widths);
  return text;
}

}  // namespace pgbackup
