#include "core/manifest/instance.h"

#include <fmt/format.h>

#include "core/base/json.h"
#include "core/base/sha256.h"

namespace pgbackup {

std::string InstanceName(const Instance& instance) {
  return ToHex(Sha256::Of(fmt::format("{}\n{}\n{}", instance.system_identifier, instance.token,
                                      instance.place)))
      .substr(0, 8);
}

boost::json::object InstanceToJson(const Instance& instance) {
  return {{"token", JsonText(std::string_view(instance.token))},
          {"place", JsonText(std::string_view(instance.place))},
          {"timeline", instance.timeline}};
}

Instance InstanceFromJson(const JsonReader& reader, const std::string& system_identifier) {
  return {system_identifier, reader.TextOr("token", ""), reader.TextOr("place", ""),
          reader.IntegerOr("timeline", 0), reader.FlagOr("is_copy", false)};
}

}  // namespace pgbackup
