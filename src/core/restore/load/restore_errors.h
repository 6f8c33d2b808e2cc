// What the server refused while a restore went on past errors (on_error => 'continue').
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace pgbackup {

// None of it holds values of rows (core/postgres/row_values.h).
struct RestoreError {
  std::string entry;    // what was to be restored, "CONSTRAINT t t_pkey"
  std::string message;  // of the server
  std::string detail;   // its further lines
};

// For several threads.
class RestoreErrors {
 public:
  static constexpr size_t kMostKept = 1000;        // the others are counted
  static constexpr size_t kMostBytes = 256 << 10;  // of those

  void Add(RestoreError error);

  uint64_t count() const;
  // One sentence that counts them and shows the first one; empty when there are none.
  std::string InWords() const;
  // The first ones, one in a line; empty when there are none.
  std::string Listed() const;
  // An array of {entry, message, detail}.
  boost::json::array AsJson() const;

 private:
  mutable std::mutex mutex_;
  uint64_t count_ = 0;
  size_t bytes_ = 0;
  std::vector<RestoreError> kept_;
};

}  // namespace pgbackup
