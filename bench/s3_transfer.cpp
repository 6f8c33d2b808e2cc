// s3_transfer put|get --url s3://bucket/prefix --endpoint URL --credentials FILE NAME
//
// One object from standard input to S3, or back to standard output, by the code that backups and
// restores use and with the SHA-256 they compute; prints that digest on standard error. For
// scripts/bench transfer, which compares it with other programs.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "core/base/error.h"
#include "core/pipeline/fd_sink.h"
#include "core/pipeline/hash_sink.h"
#include "core/pipeline/pump.h"
#include "core/storage_backends/open_storage.h"

namespace pgbackup {
namespace {

struct Options {
  StorageSettings storage;
  std::string name;
};

std::string Put(Storage& storage, const std::string& name, const Cancellation& cancellation) {
  HashSink sink(storage.Put(name));
  Pump(STDIN_FILENO, sink, cancellation);
  sink.Finish();
  return sink.sha256();
}

std::string Get(Storage& storage, const std::string& name, const Cancellation& cancellation) {
  HashSink sink(std::make_unique<FdSink>(UniqueFd(dup(STDOUT_FILENO)), cancellation, [] {
    throw Error(ErrorKind::kUnavailable, "nobody reads the output");
  }));
  storage.Get(name, sink);
  sink.Finish();
  return sink.sha256();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("One object to or from S3, for measurements", "s3_transfer");
  app.require_subcommand(1);
  app.add_option("--url", options.storage.url)->required();
  app.add_option("--endpoint", options.storage.s3.endpoint)->required();
  app.add_option("--credentials", options.storage.s3.credentials_file)->required();
  app.add_option("--part-size", options.storage.s3.part_size, "bytes");
  app.add_option("--concurrency", options.storage.s3.concurrency, "parts at a time");
  const CLI::App* put = app.add_subcommand("put", "Store standard input");
  app.add_subcommand("get", "Write an object to standard output");
  for (CLI::App* command : app.get_subcommands({}))
    command->add_option("name", options.name)->required();
  CLI11_PARSE(app, argc, argv);

  const auto environment = SystemEnvironment();
  const Cancellation cancellation;
  try {
    const auto storage = OpenStorage(options.storage, *environment, cancellation);
    const std::string digest = *put ? Put(*storage, options.name, cancellation)
                                    : Get(*storage, options.name, cancellation);
    fprintf(stderr, "%s\n", digest.c_str());
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
