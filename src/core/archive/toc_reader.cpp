#include "core/archive/toc_reader.h"

#include <fmt/format.h>

#include <charconv>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr int Version(int major, int minor) {
  return major * 100 + minor;
}

struct EndOfBytes {};

[[noreturn]] void ThrowDamaged(const char* what) {
  throw Error(ErrorKind::kInvalid, "the archive's table of contents cannot be read", what);
}

// Reads the primitives of the format; throws EndOfBytes when the bytes at hand do not suffice.
class Primitives {
 public:
  Primitives(std::string_view bytes, int integer_size)
      : integer_size_(integer_size), rest_(bytes) {}

  std::string_view Bytes(size_t count) {
    if (rest_.size() < count) throw EndOfBytes();
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }
  int Byte() { return static_cast<unsigned char>(Bytes(1)[0]); }

  // A sign byte, then the magnitude, lowest byte first.
  int64_t Integer() {
    const bool negative = Byte() != 0;
    uint64_t value = 0;
    for (int i = 0; i < integer_size_; ++i) value |= static_cast<uint64_t>(Byte()) << (8 * i);
    return negative ? -static_cast<int64_t>(value) : static_cast<int64_t>(value);
  }

  // A length, then the bytes; a negative length is a missing text.
  std::optional<std::string> Text() {
    const int64_t length = Integer();
    if (length < 0) return std::nullopt;
    if (length > (1 << 30)) ThrowDamaged("A text is impossibly long.");
    return std::string(Bytes(static_cast<size_t>(length)));
  }

  std::string_view rest() const noexcept { return rest_; }
  void set_integer_size(int size) noexcept { integer_size_ = size; }

 private:
  int integer_size_;
  std::string_view rest_;
};

TocReader::Header ReadHeader(Primitives* reader) {
  if (reader->Bytes(5) != "PGDMP") ThrowDamaged("It is not an archive of pg_dump.");
  TocReader::Header header;
  const int major = reader->Byte();
  header.version = Version(major, reader->Byte());
  reader->Byte();  // revision
  if (header.version < Version(1, 12) || header.version > Version(1, 16))
    throw Error(ErrorKind::kInvalid,
                fmt::format("archive version {}.{} is not known", major, header.version % 100),
                "Parts of a backup are restored from archive versions 1.12 to 1.16.",
                "Restore the whole backup.");
  header.integer_size = reader->Byte();
  reader->set_integer_size(header.integer_size);
  header.offset_size = reader->Byte();
  if (header.integer_size < 1 || header.integer_size > 8 || header.offset_size < 1 ||
      header.offset_size > 8)
    ThrowDamaged("Its sizes are impossible.");
  if (reader->Byte() != 1) ThrowDamaged("It is not in custom format.");
  if (header.version >= Version(1, 15))
    reader->Byte();  // compression method
  else
    reader->Integer();                            // compression level
  for (int i = 0; i < 7; ++i) reader->Integer();  // when it was made
  for (int i = 0; i < 3; ++i) reader->Text();     // database, server version, pg_dump version
  header.entries = reader->Integer();
  if (header.entries < 0) ThrowDamaged("It has a negative number of entries.");
  return header;
}

// A name may hold these words, too: then an index is built alone, which is slower and not wrong.
bool HasAlterTable(std::string_view sql) {
  constexpr std::string_view kAlterTable = "ALTER TABLE";
  return sql.substr(0, kAlterTable.size()) == kAlterTable ||
         sql.find("\nALTER TABLE") != std::string_view::npos;
}

bool NamesRoles(const std::string& kind) {
  return kind == "ACL" || kind == "DEFAULT ACL" || kind == "POLICY" || kind == "USER MAPPING";
}

// pg_dump leaves it as a comment for pg_restore.
std::string RootOf(std::string_view sql) {
  constexpr std::string_view kMark = "-- load via partition root ";
  if (!sql.starts_with(kMark)) return "";
  sql.remove_prefix(kMark.size());
  while (!sql.empty() && sql.back() == '\n') sql.remove_suffix(1);
  return std::string(sql);
}

template <typename Value>
Value Number(std::string_view text) {
  Value value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

TocEntry ReadEntry(Primitives* reader, const TocReader::Header& header) {
  TocEntry entry;
  entry.id = reader->Integer();
  entry.has_data = reader->Integer() != 0;
  reader->Text();  // catalog's oid
  entry.oid = Number<uint32_t>(reader->Text().value_or(""));
  entry.tag = reader->Text().value_or("");
  entry.kind = reader->Text().value_or("");
  entry.section = static_cast<TocSection>(reader->Integer());
  std::string sql = reader->Text().value_or("");
  entry.alters_table = HasAlterTable(sql);
  // query_to_xml() and its kin; of any other use of these words, a restore is slower and not wrong.
  entry.queries_by_text = sql.find("_to_xml") != std::string::npos;
  if (entry.kind == "TABLE DATA") entry.root = RootOf(sql);
  if (entry.kind == "FUNCTION" || entry.kind == "PROCEDURE")
    entry.routine = std::move(sql);
  else if (NamesRoles(entry.kind))
    entry.privileges = std::move(sql);
  reader->Text();  // DROP statement
  entry.copy = reader->Text().value_or("");
  entry.schema = reader->Text().value_or("");
  entry.tablespace = reader->Text().value_or("");
  if (header.version >= Version(1, 14)) reader->Text();     // table access method
  if (header.version >= Version(1, 16)) reader->Integer();  // relkind
  entry.owner = reader->Text().value_or("");
  reader->Text();  // WITH OIDS
  while (const std::optional<std::string> text = reader->Text()) {
    entry.depends_on.push_back(Number<int64_t>(*text));
  }
  reader->Byte();  // what the offset means
  reader->Bytes(static_cast<size_t>(header.offset_size));
  return entry;
}

}  // namespace

TocReader::TocReader(OnEntry on_entry) : on_entry_(std::move(on_entry)) {}

TocReader::TocReader(ArchiveToc& toc)
    : TocReader([&toc](TocEntry entry) { toc.entries.push_back(std::move(entry)); }) {}

bool TocReader::Read(std::string_view bytes) {
  if (IsComplete()) return true;
  pending_.append(bytes);
  std::string_view rest = pending_;
  try {
    while (!IsComplete()) rest = ReadOne(rest);
  } catch (const EndOfBytes&) {
    // More is to come.
  }
  pending_.erase(0, pending_.size() - rest.size());
  return IsComplete();
}

// Returns what follows the header or the entry at the beginning of `bytes`.
std::string_view TocReader::ReadOne(std::string_view bytes) {
  Primitives reader(bytes, header_ ? header_->integer_size : 4);
  if (!header_) {
    header_ = ReadHeader(&reader);
    return reader.rest();
  }
  TocEntry entry = ReadEntry(&reader, *header_);
  if (entry.section != TocSection::kNone) section_ = entry.section;
  entry.section = section_;
  ++entries_read_;
  on_entry_(std::move(entry));
  return reader.rest();
}

}  // namespace pgbackup
