#include "core/ownership/lease.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/iso_time.h"
#include "core/base/json.h"
#include "core/base/timestamp.h"
#include "core/storage/small_object.h"

namespace pgbackup {
namespace {

constexpr size_t kMostEarlierPlaces = 100;
constexpr int kLeaseVersion = 1;

std::string LeaseObjectName(const std::string& token) {
  return fmt::format("{}/{}.json", kLeaseFolder, token);
}

std::string LeaseText(const Lease& lease) {
  boost::json::object object;
  object["version"] = kLeaseVersion;
  object["cluster"] = JsonText(std::string_view(lease.cluster));
  object["system_identifier"] = JsonText(std::string_view(lease.holder.system_identifier));
  object["instance"] = InstanceToJson(lease.holder);
  object["earlier_places"] = JsonTexts(lease.earlier_places);
  object["renewed_at"] = FormatTimestamp(lease.renewed_at);
  return boost::json::serialize(object) + "\n";
}

Lease ParseLease(const std::string& text) {
  const boost::json::object object = ParseJsonObject(text, "the marker");
  const JsonReader reader(object, "the marker");
  Lease lease;
  lease.holder =
      InstanceFromJson(reader.Object("instance"), reader.TextOr("system_identifier", ""));
  lease.earlier_places = reader.Texts("earlier_places");
  lease.cluster = reader.TextOr("cluster", "");
  const std::optional<WallTime> renewed = ParseIsoTime(reader.Text("renewed_at"));
  if (!renewed) throw Error(ErrorKind::kInvalid, "field \"renewed_at\" of the marker is no time");
  lease.renewed_at = *renewed;
  return lease;
}

void WriteLease(Storage& storage, const Lease& lease, bool if_absent) {
  WriteSmallObject(storage, LeaseObjectName(lease.holder.token), LeaseText(lease), if_absent);
}

Lease NewLease(Storage& storage, const Instance& me, const std::string& cluster) {
  return {me, {}, cluster, storage.Now()};
}

// `lease`, held by `me` from now on.
Lease Taken(const Lease& lease, const Instance& me, const std::string& cluster, WallTime now) {
  Lease taken{me, lease.earlier_places, cluster, now};
  if (lease.holder.place != me.place) taken.earlier_places.push_back(lease.holder.place);
  if (taken.earlier_places.size() > kMostEarlierPlaces)
    taken.earlier_places.erase(taken.earlier_places.begin());
  return taken;
}

bool MayTakeOver(const Lease& lease, const Instance& me, WallTime now) {
  return me.timeline > lease.holder.timeline && lease.holder.timeline > 0 &&
         now - lease.renewed_at > kLeaseSilence;
}

}  // namespace

std::optional<Lease> ReadLease(Storage& storage, const std::string& token) {
  const std::optional<std::string> text = ReadSmallObject(storage, LeaseObjectName(token));
  if (!text) return std::nullopt;
  try {
    return ParseLease(*text);
  } catch (const Error& error) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("\"{}/{}\" cannot be read", storage.url(), LeaseObjectName(token)),
                fmt::format("{}.", error.message()),
                "It names the server that may remove backups from this storage. SELECT "
                "pgbackup.take_over_storage() on that server writes it anew.");
  }
}

Lease RenewLease(Storage& storage, const Instance& me, const std::string& cluster) {
  std::optional<Lease> lease = ReadLease(storage, me.token);
  if (!lease && me.is_copy) return {};
  if (!lease) {
    try {
      Lease mine = NewLease(storage, me, cluster);
      WriteLease(storage, mine, /*if_absent=*/true);
      return mine;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kAlreadyExists) throw;
    }
    lease = ReadLease(storage, me.token);
    if (!lease)
      throw Error(ErrorKind::kUnavailable, fmt::format("the marker of this server in {} comes and "
                                                       "goes",
                                                       storage.url()));
  }
  const WallTime now = storage.Now();
  const bool is_mine = lease->holder.place == me.place;
  if (is_mine && lease->holder.timeline == me.timeline && now - lease->renewed_at < kLeaseRenewal)
    return *lease;
  if (!is_mine && !MayTakeOver(*lease, me, now)) return *lease;
  Lease taken = Taken(*lease, me, cluster, now);
  WriteLease(storage, taken, /*if_absent=*/false);
  return taken;
}

std::optional<Lease> RenewLeaseQuietly(Storage& storage, const Claim& claim,
                                       const std::function<void(const std::string&)>& log) {
  if (claim.instance.token.empty()) return std::nullopt;
  try {
    return RenewLease(storage, claim.instance, claim.cluster);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
    log(fmt::format("the lease of this server could not be renewed: {}", error.message()));
    return std::nullopt;
  }
}

std::optional<Lease> TakeOverLease(Storage& storage, const std::string& token, const Instance& me,
                                   const std::string& cluster) {
  std::optional<Lease> before;
  try {
    before = ReadLease(storage, token);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) throw;
  }
  Instance holder = me;
  holder.token = token;
  WriteLease(
      storage,
      before ? Taken(*before, holder, cluster, storage.Now()) : NewLease(storage, holder, cluster),
      /*if_absent=*/false);
  return before;
}

bool CoversWriter(const Lease& lease, const Instance& writer, const Instance& me) {
  const auto& taken = lease.earlier_places;
  return lease.holder.place == me.place &&
         (writer.place.empty() || writer.place == me.place ||
          std::find(taken.begin(), taken.end(), writer.place) != taken.end());
}

void RequireLease(Storage& storage, const Instance& writer, const Instance& me) {
  const std::optional<Lease> lease = ReadLease(storage, writer.token);
  if (!lease)
    throw Error(ErrorKind::kUnavailable,
                fmt::format("{} may not be the storage it was: no server has left its marker there",
                            storage.url()),
                fmt::format("\"{}\" is missing.", LeaseObjectName(writer.token)),
                "Check that the right storage is mounted or named. The next backup that is written "
                "to it leaves a marker, and so does SELECT pgbackup.take_over_storage().");
  if (CoversWriter(*lease, writer, me)) return;
  if (lease->holder.place == me.place)
    throw Error(ErrorKind::kDenied,
                fmt::format("what a copy of this server has written to {} is not this one's to "
                            "remove",
                            storage.url()),
                fmt::format("Instance {} has, which this server has not taken the lease over from.",
                            InstanceName(writer)),
                "If that server is gone for good, delete its backups by hand: SELECT "
                "pgbackup.delete(id, true).");
  throw Error(
      ErrorKind::kDenied,
      fmt::format("another server may remove what lies in {}, not this one", storage.url()),
      fmt::format("Instance {} of cluster \"{}\" holds the lease and was there last at {}.",
                  InstanceName(lease->holder), lease->cluster, FormatTimestamp(lease->renewed_at)),
      "If that server is gone for good: SELECT pgbackup.take_over_storage().");
}

boost::json::object LeaseToJson(const Lease& lease, const Instance& me) {
  boost::json::object object{{"held", lease.holder.place == me.place}};
  if (lease.holder.place.empty()) return object;
  object["holder"] = InstanceName(lease.holder);
  object["cluster"] = JsonText(std::string_view(lease.cluster));
  object["renewed_at"] = FormatTimestamp(lease.renewed_at);
  return object;
}

}  // namespace pgbackup
