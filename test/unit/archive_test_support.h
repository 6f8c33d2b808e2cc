// Archives as pg_dump begins them, for tests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/archive/toc_reader.h"

namespace pgbackup {

// Writes the head of an archive as pg_dump does.
class ArchiveHead {
 public:
  explicit ArchiveHead(int minor) : minor_(minor) {
    bytes_ = std::string("PGDMP\x01", 6) + static_cast<char>(minor) + '\0' + '\4' + '\10' + '\1';
    if (minor >= 15)
      bytes_ += '\0';
    else
      Integer(-1);
    for (int i = 0; i < 7; ++i) Integer(1);
    for (const char* text : {"db", "15.20", "15.20"}) Text(text);
  }
  void Integer(int64_t value) {
    bytes_ += value < 0 ? '\1' : '\0';
    for (uint64_t rest = static_cast<uint64_t>(value < 0 ? -value : value), i = 0; i < 4; ++i)
      bytes_ += static_cast<char>((rest >> (8 * i)) & 255);
  }
  void Text(const std::string& text) {
    Integer(static_cast<int64_t>(text.size()));
    bytes_ += text;
  }
  void Missing() { Integer(-1); }
  void Entry(int id, const char* kind, const char* schema, const std::string& tag,
             const std::vector<int>& depends_on, const char* sql = "CREATE …", int section = 2,
             const std::string& copy = "") {
    Integer(id);
    Integer(1);
    Text("1259");
    Text("16384");
    Text(tag);
    Text(kind);
    Integer(section);
    Text(sql);
    Text("");
    if (copy.empty())
      Missing();
    else
      Text(copy);
    if (*schema == '\0')
      Missing();
    else
      Text(schema);
    Missing();
    if (minor_ >= 14) Text("heap");
    if (minor_ >= 16) Integer('r');
    Text("owner");
    Text("false");
    for (const int dependency : depends_on) Text(std::to_string(dependency));
    Missing();
    bytes_ += std::string(9, '\2');
  }
  const std::string& bytes() const { return bytes_; }

 private:
  int minor_;
  std::string bytes_;
};

// The table of contents at the head of an archive; nullopt when `head` ends before it does.
inline std::optional<ArchiveToc> ParseArchiveToc(std::string_view head) {
  ArchiveToc toc;
  TocReader reader(toc);
  if (!reader.Read(head)) return std::nullopt;
  return toc;
}

// An archive whose blocks of data are added to its head, in chunks as they are given.
struct Archive {
  std::string head, bytes;
  std::map<int64_t, std::string> rows;
  std::string large_object;

  void Number(int64_t value) {
    bytes += value < 0 ? '\1' : '\0';
    for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i) & 255);
  }
  void Chunks(const std::vector<std::string>& chunks, std::string* all) {
    for (const std::string& chunk : chunks) {
      Number(static_cast<int64_t>(chunk.size()));
      bytes += chunk;
      *all += chunk;
    }
    Number(0);
  }
  void Table(int64_t id, const std::vector<std::string>& chunks) {
    bytes += '\1';
    Number(id);
    Chunks(chunks, &rows[id]);
  }
  void LargeObject(int64_t id, const std::vector<std::string>& chunks) {
    bytes += '\3';
    Number(id);
    Number(16399);
    Chunks(chunks, &large_object);
    Number(0);
  }
};

}  // namespace pgbackup
