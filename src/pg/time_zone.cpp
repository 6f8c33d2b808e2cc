#include "pg/time_zone.h"

#include "pg/settings.h"

namespace pgbackup {
namespace {

CivilTime ToLocal(int64_t unix_seconds, const void* context) noexcept {
  const pg_time_t time = unix_seconds;
  const pg_tm* local = pg_localtime(&time, static_cast<const pg_tz*>(context));
  CivilTime civil;
  if (local == nullptr) return civil;
  civil.year = local->tm_year + 1900;
  civil.month = local->tm_mon + 1;
  civil.day = local->tm_mday;
  civil.hour = local->tm_hour;
  civil.minute = local->tm_min;
  civil.second = local->tm_sec;
  civil.utc_offset = static_cast<int>(local->tm_gmtoff);
  return civil;
}

}  // namespace

TimeZone CoreZone(const pg_tz* zone) {
  return {ToLocal, zone};
}

pg_tz* ZoneNamed(const char* name) {
  return name[0] == '\0' ? ScheduleZone() : pg_tzset(name);
}

}  // namespace pgbackup
