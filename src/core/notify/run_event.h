// What happened to a run, as notifications tell it.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace pgbackup {

struct RunEvent {
  boost::json::object fields;  // as the catalog gives them; the body of the generic format
  std::string kind;            // backup, restore, copy
  std::string status;          // in_progress, completed, failed, cancelled
  std::string database;
  std::string cluster, environment;
  std::string message;  // what went wrong, or a remark; may be empty
  std::string hint;
};

// kInvalid when kind or status is missing.
RunEvent ReadRunEvent(const boost::json::object& fields);

// One line: "backup 12 of database "shop" on main failed".
std::string Headline(const RunEvent& event);

// The headline, then a line each for message, hint, size and duration as far as they are known.
std::string EventText(const RunEvent& event);

// `text` with every {name} of a field replaced by its value, which is escaped as the inside of a
// JSON string. {text} is EventText, {headline} Headline. Other braces stay as they are.
std::string FillTemplate(std::string_view text, const RunEvent& event);

}  // namespace pgbackup
