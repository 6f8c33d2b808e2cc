#include "cli/server_options.h"

#include <CLI/Option.hpp>
#include <filesystem>

#include "core/process/program.h"

namespace pgbackup {
namespace {

constexpr const char* kServerGroup = "Server";
constexpr const char* kDbnameOption = "--dbname";

// Where PostgreSQL's programs are: beside this one, where "make install" puts it, else in the PATH.
std::string DefaultBinDirectory() {
  std::error_code failed;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return {};
  const std::filesystem::path folder = own.parent_path();
  return std::filesystem::exists(folder / "pg_restore", failed) ? folder.string() : "";
}

}  // namespace

void ServerOptions::AddTo(CLI::App& command, const char* about_database) {
  const auto add = [&](const char* name, std::string& value, const char* type,
                       const char* description) {
    command.add_option(name, value, description)->type_name(type)->group(kServerGroup);
  };
  add("-h,--host", host_, "HOST", "Name, address or socket folder of the server; as PGHOST");
  add("-p,--port", port_, "PORT", "Its port; as PGPORT");
  add("-U,--username", user_, "NAME", "The role to connect as; as PGUSER");
  add("-d,--dbname", dbname_, "DBNAME", about_database);
  AddProgramsTo(command);
}

void ServerOptions::AddProgramsTo(CLI::App& command) {
  command
      .add_option("--bin-directory", bin_directory_,
                  "Folder of pg_dump and pg_restore; else beside this program, or the PATH")
      ->type_name("FOLDER")
      ->group(kServerGroup);
}

bool ServerOptions::IsGiven() const noexcept {
  return !host_.empty() || !port_.empty() || !user_.empty() || !dbname_.empty();
}

ServerAddress ServerOptions::Address(const Environment& environment) const {
  ServerAddress address;
  address.host = host_;
  address.port = port_;
  address.user = user_;
  if (IsConnectionString(dbname_)) address.conninfo = dbname_;
  address.conninfo_from = kDbnameOption;
  const std::string database = Database(environment);
  if (!database.empty()) address.maintenance_database = database;
  address.bin_directory = bin_directory_.empty() ? DefaultBinDirectory() : bin_directory_;
  return address;
}

std::string ServerOptions::Database(const Environment& environment) const {
  std::string database = DatabaseOf(dbname_, kDbnameOption);
  if (database.empty()) database = environment.Variable("PGDATABASE").value_or("");
  return database;
}

}  // namespace pgbackup
