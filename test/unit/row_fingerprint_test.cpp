#include "core/fingerprint/row_fingerprint.h"

#include <gtest/gtest.h>

#include "error_test_support.h"

namespace pgbackup {
namespace {

RowFingerprint Of(std::string_view text, size_t piece = 1000) {
  RowFingerprinter rows;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    const std::string_view part = text.substr(0, piece);
    rows.Add(std::as_bytes(std::span(part.data(), part.size())));
  }
  return rows.Finish();
}

TEST(RowFingerprint, IsThatOfTheRowsInAnyOrderAndCutAnywhere) {
  const RowFingerprint whole = Of("1\tone\n2\ttwo\n\n3\tthree\n");
  EXPECT_EQ(whole.rows, 4U);
  EXPECT_EQ(Of("3\tthree\n\n1\tone\n2\ttwo\n"), whole);
  for (size_t piece = 1; piece < 20; ++piece)
    EXPECT_EQ(Of("1\tone\n2\ttwo\n\n3\tthree\n", piece), whole) << piece;
  RowFingerprint sum = Of("1\tone\n");
  sum += Of("2\ttwo\n\n3\tthree\n");
  EXPECT_EQ(sum, whole);
  EXPECT_EQ(Of("1\tone\n2\ttwo\n\n3\tthree"), whole);
}

TEST(RowFingerprint, DiffersWhenARowIsLostRepeatedOrChanged) {
  const RowFingerprint whole = Of("1\tone\n2\ttwo\n");
  for (const char* other : {"1\tone\n", "1\tone\n2\ttwo\n2\ttwo\n", "1\tone\n2\ttwp\n",
                            "1\ttwo\n2\tone\n", "1\tone2\ttwo\n", "1\tone\n2\ttwo\n\n", ""})
    EXPECT_NE(Of(other), whole) << other;
  // Rows that are there twice do not cancel out, as they would with exclusive or.
  EXPECT_NE(Of("a\na\n"), Of("b\nb\n"));
}

TEST(RowFingerprint, EndsAtTheEndMark) {
  const RowFingerprint whole = Of("1\n2\n");
  for (size_t piece = 1; piece < 12; ++piece)
    EXPECT_EQ(Of("1\n2\n\\.\n\n\n", piece), whole) << piece;
  // A row that only begins as it does, or holds it, is a row.
  EXPECT_EQ(Of("\\.x\n\\\\.\nx\\.\n").rows, 3U);
  for (size_t piece = 1; piece < 12; ++piece)
    EXPECT_EQ(Of("\\.x\n\\\\.\nx\\.\n", piece), Of("\\.x\n\\\\.\nx\\.\n")) << piece;
}

TEST(RowFingerprint, StartsAnewAfterFinish) {
  RowFingerprinter rows;
  const std::string_view text = "1\n\\.\n\n";
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  rows.Add(bytes);
  const RowFingerprint first = rows.Finish();
  rows.Add(bytes);
  EXPECT_EQ(rows.Finish(), first);
  EXPECT_EQ(rows.Finish(), RowFingerprint());
}

TEST(RowFingerprint, IsTheOneOfTheSpecification) {
  // xxhsum -H2 of "a" and of nothing, from the reference implementation.
  EXPECT_EQ(Of("\n").HashText(), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(Of("a\n").HashText(), "a96faf705af16834e6c632b61e964e1f");
}

TEST(RowFingerprint, IsReadBackFromItsText) {
  const RowFingerprint whole = Of("1\tone\n2\ttwo\n");
  EXPECT_EQ(RowFingerprint::FromText(2, whole.HashText()), whole);
  for (const char* text : {"", "12", "0123456789abcdef0123456789abcdeg",
                           " 123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef0"})
    EXPECT_EQ(ErrorOf([&] { RowFingerprint::FromText(1, text); }).kind(), ErrorKind::kInvalid)
        << text;
}

}  // namespace
}  // namespace pgbackup
