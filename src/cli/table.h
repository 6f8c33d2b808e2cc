// Rows of a result: in columns on a terminal, separated by tabs otherwise.
#pragma once

#include <string>
#include <vector>

namespace pgbackup {

struct Table {
  std::vector<std::string> titles;
  std::vector<std::vector<std::string>> rows;  // as many cells as titles
};

// With titles, columns padded, on a terminal; without titles, one tab between cells, otherwise.
// Nothing in a cell can end a line, be taken for the end of a cell, or steer a terminal
// (printable.h).
std::string TableText(const Table& table, bool on_terminal);

// Whether standard output is a terminal.
bool IsOutputTerminal();

}  // namespace pgbackup
