// What the fuzzers share. Each source has one LLVMFuzzerTestOneInput, which gives its input to
// every reader of a family and stops at a property that does not hold; see README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#define REQUIRE(property)                                                           \
  do {                                                                              \
    if (!(property)) {                                                              \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property); \
      abort();                                                                      \
    }                                                                               \
  } while (false)

namespace pgbackup {

inline std::string_view TextOf(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Neither a blank nor a control character nor a byte beyond ASCII.
inline bool IsGraphic(std::string_view text) {
  for (const char c : text)
    if (c <= 0x20 || c >= 0x7f) return false;
  return true;
}

}  // namespace pgbackup

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
