// Which server it is that writes to a storage.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>

namespace pgbackup {

class JsonReader;

struct Instance {
  std::string system_identifier;
  // Random, made with the catalog. A copy of the data directory has the same one. Empty: there is
  // no catalog, as for a backup by the command line.
  std::string token;
  // Fingerprint of the machine and of the data directory there. A copy has another one.
  std::string place;
  int64_t timeline = 0;  // of the server; 0: unknown
  // The catalog was at another place when it last held a lease: this may be a copy of the server.
  // Known of the server that runs alone.
  bool is_copy = false;

  bool operator==(const Instance&) const = default;
};

// What {instance} in a name template stands for: eight hexadecimal digits that no other server has,
// be it a copy of this one. The server module says the same (pgbackup._instance()).
std::string InstanceName(const Instance& instance);

// Without the system identifier, which stands elsewhere wherever this does.
boost::json::object InstanceToJson(const Instance& instance);
Instance InstanceFromJson(const JsonReader& reader, const std::string& system_identifier);

}  // namespace pgbackup
