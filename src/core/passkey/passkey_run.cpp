#include "core/passkey/passkey_run.h"

#include "core/passkey/passkey.h"

namespace pgbackup {

RunOutcome RunPasskey(const PasskeyJob& job, const RunContext& /*context*/) {
  try {
    const bool same = IsPasskey(job.passkey ? job.passkey->view() : std::string_view(), job.hash);
    RunOutcome outcome;
    outcome.fields["right"] = same && job.passkey.has_value();
    return outcome;
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
