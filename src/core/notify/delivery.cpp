#include "core/notify/delivery.h"

#include <algorithm>

#include "core/base/json.h"

namespace pgbackup {
namespace {

namespace json = boost::json;

json::value TextOrNull(const std::string& text) {
  return text.empty() ? json::value(nullptr) : JsonText(std::string_view(text));
}

json::object ReportOf(const TargetReport& target) {
  return {{"target", JsonText(std::string_view(target.target))},
          {"name", JsonText(std::string_view(target.name))},
          {"told", json::array(target.told.begin(), target.told.end())},
          {"refused", json::array(target.refused.begin(), target.refused.end())},
          {"refusal", TextOrNull(target.refusal)},
          {"failure", TextOrNull(target.failure)}};
}

}  // namespace

bool IsFor(const RunNotice& notice, const std::string& target) {
  return std::find(notice.targets.begin(), notice.targets.end(), target) != notice.targets.end();
}

RunOutcome OutcomeOf(const DeliveryReport& report) {
  json::array targets;
  json::array dropped;
  for (const TargetReport& target : report.targets) targets.push_back(ReportOf(target));
  for (const DroppedNotice& notice : report.dropped)
    dropped.push_back(
        json::object{{"id", notice.id}, {"message", JsonText(std::string_view(notice.message))}});
  RunOutcome outcome;
  outcome.fields["targets"] = std::move(targets);
  outcome.fields["dropped"] = std::move(dropped);
  outcome.fields["failure"] = TextOrNull(report.failure);
  outcome.fields["refused"] = report.refused ? json::value(*report.refused) : json::value(nullptr);
  return outcome;
}

}  // namespace pgbackup
