// The passkey of restores that replace a database: the agent compares it with the hash, for the
// server module has no cryptography.
#include "pg/job_json.h"
#include "pg/question.h"
#include "pg/settings.h"

extern "C" {
#include "utils/json.h"

PG_FUNCTION_INFO_V1(pgbackup_check_passkey);
}

namespace pgbackup {
namespace {

constexpr int kPasskeyTimeoutMs = 60000;

// The job, in UTF-8. The passkey goes through no SQL of ours, which somebody might log.
char* PasskeyJob(const char* hash, const char* passkey) {
  StringInfoData job;
  initStringInfo(&job);
  appendStringInfoString(&job, "{\"protocol\": 1, \"job\": \"passkey\", \"hash\": ");
  escape_json(&job, hash);
  if (passkey != nullptr) {
    appendStringInfoString(&job, ", \"passkey\": ");
    escape_json(&job, passkey);
  }
  appendStringInfoChar(&job, '}');
  return JobText(job.data, CurrentMemoryContext);
}

// Asks even when there is no passkey, so that every answer takes the same time.
bool IsRight(const char* hash, const char* passkey) {
  const char* answer =
      AskAgent(PasskeyJob(hash, passkey), kPasskeyTimeoutMs, "the agent that compares passkeys");
  const Datum event = DirectFunctionCall1(jsonb_in, CStringGetDatum(answer));
  const Datum right = CStringGetTextDatum("right");
  return DatumGetBool(
      DirectFunctionCall1(jsonb_bool, DirectFunctionCall2(jsonb_object_field, event, right)));
}

}  // namespace
}  // namespace pgbackup

// (passkey text, is_needed boolean): an error unless the passkey is right, or neither needed nor
// given.
Datum pgbackup_check_passkey(PG_FUNCTION_ARGS) {
  using namespace pgbackup;
  const char* hash = settings.restore_passkey == nullptr ? "" : settings.restore_passkey;
  const char* passkey = PG_ARGISNULL(0) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(0));
  const bool is_needed = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
  if (hash[0] == '\0') {
    if (passkey != nullptr)
      ereport(
          ERROR,
          (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("no passkey is configured"),
           errdetail("pgbackup.restore_passkey is empty: whoever may restore needs none."),
           errhint("Leave passkey out; or set pgbackup.restore_passkey to what "
                   "\"pgbackup hash-passkey\" prints.")));
    PG_RETURN_VOID();
  }
  if (passkey == nullptr && !is_needed) PG_RETURN_VOID();
  const bool is_right = IsRight(hash, passkey);
  if (passkey == nullptr)
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
             errmsg("replacing a database takes the passkey"),
             errdetail("pgbackup.restore_passkey is set."),
             errhint("Give it: passkey => '...'. Restoring into a new database takes none.")));
  if (!is_right)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PASSWORD), errmsg("wrong passkey"),
                    errhint("It is the one whose hash pgbackup.restore_passkey is. Restoring into "
                            "a new database takes none.")));
  PG_RETURN_VOID();
}
