// What leads to code that is not built into the server. Pure.
//
// A node is a letter for its kind and an OID: what is asked about (a table's rows, an index) and
// what lies on the way (a domain, an operator class, a function). An edge says that the first one
// uses the second, and a code that it is code itself.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pgbackup {

class CodeGraph {
 public:
  // As the second node of an edge: the first one is code that may read any table.
  static constexpr std::string_view kAnyCode = "!";
  // Or code of an extension, which may read the extension's own configuration tables.
  static constexpr std::string_view kExtensionCode = "?";

  void Add(std::string_view from, std::string_view to);

  // The OIDs of the nodes of a kind that use `code`, directly or through others.
  std::set<uint32_t> Users(char kind, std::string_view code) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> users_;  // of each node
};

}  // namespace pgbackup
