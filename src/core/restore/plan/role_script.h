// Makes roles again from what a backup says of them. Pure.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pgbackup {

struct RoleScript {
  std::vector<std::string> statements;  // in the order they are to be run
  std::vector<std::string> roles;       // that they make
  std::vector<std::string> superusers;  // those of them that become superusers
  // What was granted on these is left out, because the server does not know them.
  std::set<std::string> unknown_parameters;
};

// What a server has.
struct ServerNames {
  std::function<bool(const std::string&)> has_role, has_parameter;
};

// May be wanted beside roles, none of which can have this name.
inline constexpr const char* kEverybody = "public";

// From the text of a globals.sql: the roles `wanted` that are in it, with attributes, settings,
// comments and what is granted to them on parameters, but without passwords; and every membership
// of or in one of them whose other end exists. No statement alters a role that `server` has
// already, but that it may become a member.
RoleScript MakeRoleScript(std::string_view globals, const std::vector<std::string>& wanted,
                          const ServerNames& server);

// The roles that it makes.
std::vector<std::string> RolesIn(std::string_view globals);

}  // namespace pgbackup
