// Which programs a restore runs on which objects, in which order. Pure: no server, no files.
#pragma once

#include <string>
#include <vector>

#include "core/manifest/manifest.h"
#include "core/run/job.h"

namespace pgbackup {

struct RestoreTask {
  size_t object = 0;  // index into the manifest's objects
  std::string program;
  std::vector<std::string> arguments;  // what comes behind the connection's switches
  // True: the object is small and read more than once, so it is kept in memory and the program gets
  // a path. False: it is streamed to the program's standard input.
  bool from_memory = false;
};

// Tasks of one step run at the same time; a step begins when the one before has succeeded.
struct RestoreStep {
  std::string phase;
  std::vector<RestoreTask> tasks;
};

struct RestorePlan {
  // A dump of selected schemas creates "public" if it is among them; a new database has it already.
  bool drop_public_schema = false;
  std::vector<std::string> schemas_to_create;  // single tables come without their schemas
  std::vector<RestoreStep> steps;
};

// kInvalid for what cannot be done with this backup.
RestorePlan MakeRestorePlan(const Manifest& manifest, const RestoreOptions& options);

}  // namespace pgbackup
