// stages --recipient KEY --identity FILE ARCHIVE
//
// How long the stages that a backup's bytes pass take, each alone, for an archive (or the beginning
// of one) that pg_dump -Fc -Z0 has written, held in memory: a line "NAME wall-seconds CPU-seconds"
// each. For scripts/bench proof, which compares them with other programs.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>

#include "core/age/age_decrypt_sink.h"
#include "core/age/age_encrypt_sink.h"
#include "core/age/key_files.h"
#include "core/archive/packing_sink.h"
#include "core/base/environment.h"
#include "core/base/error.h"
#include "core/dump/dumped_archive.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/hash_sink.h"

namespace pgbackup {
namespace {

constexpr size_t kPiece = 256 << 10;  // as Pump reads

class Nowhere final : public Sink {
 public:
  void Write(std::span<const std::byte>) override {}
  void Finish() override {}
  void Abort() noexcept override {}
};

class Nobody final : public ArchiveObserver {
 public:
  void OnEntry(TocEntry) override {}
  void OnData(int64_t, std::span<const std::byte>) override {}
};

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) throw Error(ErrorKind::kNotFound, "there is nothing in " + path);
  return text;
}

void WriteAll(std::span<const std::byte> data, Sink& sink) {
  for (size_t at = 0; at < data.size(); at += kPiece)
    sink.Write(data.subspan(at, std::min(kPiece, data.size() - at)));
}

// The archive may be cut off, so it is not finished.
void Pack(std::span<const std::byte> archive, ArchiveObserver& observer) {
  Nowhere nowhere;
  PackingSink packing(nowhere, observer, "archive");
  WriteAll(archive, packing);
}

void PackWithFingerprints(std::span<const std::byte> archive) {
  const ArchiveNames names;
  TableProgress progress;
  DumpedArchive contents(names, progress);
  Pack(archive, contents);
  uint64_t rows = 0;
  for (const TableFingerprint& table : contents.TakeFingerprints()) rows += table.rows.rows;
  if (rows == 0) throw Error(ErrorKind::kInvalid, "the archive holds no rows");
}

void Pass(std::span<const std::byte> data, std::unique_ptr<Sink> chain) {
  WriteAll(data, *chain);
  chain->Finish();
}

void Time(const char* name, const std::function<void()>& stage) {
  const auto begin = std::chrono::steady_clock::now();
  const std::clock_t ticks = std::clock();
  stage();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  printf("%s %.4f %.4f\n", name, wall.count(),
         static_cast<double>(std::clock() - ticks) / CLOCKS_PER_SEC);
}

void TimeStages(const std::string& path, const EncryptionSettings& settings) {
  const std::string text = ReadWhole(path);
  const std::span<const std::byte> archive = std::as_bytes(std::span(text));
  const auto environment = SystemEnvironment();
  const auto keys = OpenEncryptionKeys(settings);
  const auto identities =
      OpenDecryptionKeys(settings, {std::string(keys->scheme()), keys->recipients()});
  const auto encrypt = [&](std::unique_ptr<Sink> next) {
    return std::make_unique<AgeEncryptSink>(std::move(next), *keys, *environment);
  };

  Nobody nobody;
  Time("packing", [&] { Pack(archive, nobody); });
  Time("packing+fingerprint", [&] { PackWithFingerprints(archive); });
  Time("zstd:1", [&] {
    Pass(archive, MakeEncoder(std::make_unique<Nowhere>(), {Codec::kZstd, 1, false}));
  });
  Time("SHA-256", [&] { Pass(archive, std::make_unique<HashSink>(std::make_unique<Nowhere>())); });
  Time("encrypt", [&] { Pass(archive, encrypt(std::make_unique<Nowhere>())); });
  Time("encrypt+decrypt", [&] {
    Pass(archive, encrypt(std::make_unique<AgeDecryptSink>(std::make_unique<Nowhere>(), "archive",
                                                           *identities)));
  });
}

int Main(int argc, char** argv) {
  CLI::App app("The stages of a backup, each alone, for measurements", "stages");
  std::string archive;
  EncryptionSettings settings;
  app.add_option("archive", archive)->required();
  app.add_option("--recipient", settings.recipients)->required();
  app.add_option("--identity", settings.identity_file)->required();
  CLI11_PARSE(app, argc, argv);
  try {
    TimeStages(archive, settings);
    return 0;
  } catch (const Error& error) {
    fprintf(stderr, "%s %s %s\n", error.what(), error.detail().c_str(), error.hint().c_str());
    return 1;
  }
}

}  // namespace
}  // namespace pgbackup

int main(int argc, char** argv) {
  return pgbackup::Main(argc, argv);
}
