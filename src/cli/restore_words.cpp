#include "cli/restore_words.h"

#include <fmt/format.h>

#include <string_view>

namespace pgbackup {
namespace {

std::string TextOf(const RunOutcome& outcome, const char* field) {
  const boost::json::value* value = outcome.fields.if_contains(field);
  if (value == nullptr || !value->is_string()) return "";
  return std::string(std::string_view(value->get_string()));
}

}  // namespace

std::string RestoreInWords(const RestoreJob& job, const RunOutcome& outcome) {
  if (job.options.dry_run)
    return fmt::format("{}: {}\n{}", job.file_name, TextOf(outcome, "message"),
                       TextOf(outcome, "detail"));
  const std::string remark = TextOf(outcome, "message");
  const std::string refused = TextOf(outcome, "detail");
  return fmt::format("{} is restored as database \"{}\"{}{}{}{}", job.file_name,
                     job.target_database, remark.empty() ? "" : "; ", remark,
                     refused.empty() ? "" : "\n", refused);
}

}  // namespace pgbackup
