// Makes roles again from what a backup says of them. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pgbackup {

struct RoleScript {
  std::vector<std::string> statements;  // in the order they are to be run
  std::vector<std::string> roles;       // that they make
  std::vector<std::string> superusers;  // those of them that become superusers
};

// From the text of a globals.sql: the roles `wanted` that are in it, with attributes, settings and
// comments, but without passwords; and every membership of or in one of them whose other end
// exists. No statement alters a role that `exists` already, but that it may become a member.
RoleScript MakeRoleScript(std::string_view globals, const std::vector<std::string>& wanted,
                          const std::function<bool(const std::string&)>& exists);

// The roles that it makes.
std::vector<std::string> RolesIn(std::string_view globals);

}  // namespace pgbackup
