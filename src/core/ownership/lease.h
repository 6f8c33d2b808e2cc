// Which of several copies of a server may remove things from a storage.
//
// Each catalog has a marker in the storage, pgbackup-instances/<token>.json, that names the place
// of the server that holds the lease. Copies of a server (clones, promoted standbys, restored base
// backups) have the same token and other places: they make backups into folders of their own, and
// remove nothing before the marker names them.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/environment.h"
#include "core/manifest/instance.h"
#include "core/ownership/claim.h"
#include "core/storage/storage.h"

namespace pgbackup {

inline constexpr std::string_view kLeaseFolder = "pgbackup-instances";

// A promoted server takes over by itself from one that has not been heard of for so long.
inline constexpr std::chrono::hours kLeaseSilence{24};

// A marker that is younger than this is not written anew.
inline constexpr std::chrono::minutes kLeaseRenewal{10};

struct Lease {
  Instance holder;
  std::vector<std::string> earlier_places;  // oldest first: what the holder has taken over from
  std::string cluster;                      // name of the holder's cluster
  WallTime renewed_at;                      // by the storage's clock
};

// Of the catalog `token`; none when it has never had one here. kCorrupt when it cannot be read.
std::optional<Lease> ReadLease(Storage& storage, const std::string& token);

// For a server that has just written to the storage: takes the lease when there is none, unless it
// is a copy, renews its own, takes over as described above. Returns the lease as it is then,
// perhaps another server's, or nobody's: without a place. `me` has a token.
Lease RenewLease(Storage& storage, const Instance& me, const std::string& cluster);

// The same after `claim` has been made; none, and a line in the log, when that did not work, since
// without the lease a server only removes nothing. None, too, without a catalog.
std::optional<Lease> RenewLeaseQuietly(Storage& storage, const Claim& claim,
                                       const std::function<void(const std::string&)>& log);

// Makes `me` the holder of the lease of `token`, whoever holds it. Returns who held it before.
std::optional<Lease> TakeOverLease(Storage& storage, const std::string& token, const Instance& me,
                                   const std::string& cluster);

// Whether `me` holds `lease`, which is that of the catalog `writer` had, and has written itself
// what `writer` did or taken it over from there. A writer without a place may be anybody of that
// catalog.
bool CoversWriter(const Lease& lease, const Instance& writer, const Instance& me);

// Throws kDenied unless that is so. kUnavailable when the storage has no marker at all: then it may
// not be the storage it was.
void RequireLease(Storage& storage, const Instance& writer, const Instance& me);

// The `lease` member of an event (docs/job-protocol.md).
boost::json::object LeaseToJson(const Lease& lease, const Instance& me);

}  // namespace pgbackup
