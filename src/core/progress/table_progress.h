// How far a run is with its tables: how many have all their rows where they belong, and which are
// being worked on. Thread-safe; names are in UTF-8.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "core/postgres/quoting.h"

namespace pgbackup {

class TableProgress {
 public:
  struct State {
    uint64_t done = 0;
    uint64_t total = 0;
    std::vector<QualifiedName> current;  // those that were begun first come first
  };

  // What there is to do: a name for each piece of a table's rows. Until then nothing is known.
  void Plan(const std::vector<QualifiedName>& pieces);
  // A table that only turns up now; nothing happens when it is known already.
  void Meet(const QualifiedName& table);

  // A lane begins, or has ended, a piece of the table. What is not known counts for nothing.
  void Begin(const QualifiedName& table);
  void End(const QualifiedName& table);

  // All of them are done, whatever was seen of them.
  void Finish();

  // nullopt: it is not known which tables there are.
  std::optional<State> Now() const;

 private:
  struct Active {
    QualifiedName table;
    size_t lanes = 0;
  };
  std::vector<Active>::iterator FindActive(const QualifiedName& table);

  mutable std::mutex mutex_;
  bool is_known_ = false;
  std::map<QualifiedName, size_t> pieces_left_;
  std::vector<Active> active_;
  uint64_t done_ = 0;
};

}  // namespace pgbackup
