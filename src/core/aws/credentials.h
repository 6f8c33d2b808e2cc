// Where the keys come from.
//
// A provider knows one source. The chain asks its providers in order, keeps what the first one
// gave, asks again shortly before it expires and whenever the store calls it expired.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/base/error.h"

namespace pgbackup {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;        // empty for long-lived keys
  std::optional<WallTime> expires;  // nullopt: as long as the store accepts them
  // When somebody has to have put other keys into the source, which does not renew them by itself;
  // nullopt: never, as far as is known.
  std::optional<WallTime> source_ends = {};
};

// Whoever may end a wait; none, one or two of them. Borrowed.
using Cancellations = std::vector<const Cancellation*>;

inline void ThrowIfCancelled(const Cancellations& cancellations) {
  for (const Cancellation* cancellation : cancellations) cancellation->ThrowIfCancelled();
}

class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  // The credentials; nullopt when this source is not set up at all; throws Error when it is set up
  // and broken, kCancelled when one of `cancellations` is set. Called anew for every refresh, by
  // one thread at a time. No message holds a secret.
  virtual std::optional<Credentials> Load(const Cancellations& cancellations) = 0;
  // The source in words, such as "the server's environment".
  virtual std::string Source() const = 0;
  // After a nullopt: why, as a whole sentence.
  virtual std::string Absence() const = 0;
};

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and AWS_CREDENTIAL_EXPIRATION as
// the AWS tools export it beside them.
class EnvironmentCredentials final : public CredentialsProvider {
 public:
  explicit EnvironmentCredentials(const Environment& environment) : environment_(environment) {}
  std::optional<Credentials> Load(const Cancellations& cancellations) override;
  std::string Source() const override { return "the server's environment"; }
  std::string Absence() const override;

 private:
  const Environment& environment_;
};

// Throws kInvalid, naming `source`, for a key that would break out of its header line.
void CheckPlausible(const Credentials& credentials, const std::string& source);

// Notes in keys that nothing renews when they expire, by the text that stands beside them. One that
// is no time is ignored: the keys may be good all the same.
void NoteExpiration(const std::string& text, Credentials* credentials);

// Safe for several threads at once. One of them renews; meanwhile the others go on with what there
// is as long as it is valid, and wait otherwise.
class CredentialsChain {
 public:
  // `environment` outlives the chain.
  CredentialsChain(std::vector<std::unique_ptr<CredentialsProvider>> providers,
                   const Environment& environment);

  // The credentials to sign with now. Throws kDenied with a hint when no source has any. Renewal
  // begins five minutes before they expire (halfway, when they live less than ten) and may fail
  // until then without anybody noticing.
  std::shared_ptr<const Credentials> Get(const Cancellations& cancellations = {});

  // Where the credentials that Get gave last come from, in words.
  std::string Source();

  // Their source_ends; nullopt when there are none.
  std::optional<WallTime> SourceEnds();

  // The store called `used` expired or unknown: asks the providers again. Returns whether there are
  // other credentials now, that is, whether a new try makes sense.
  bool Refresh(const std::shared_ptr<const Credentials>& used,
               const Cancellations& cancellations = {});

 private:
  using Lock = std::unique_lock<std::mutex>;

  std::shared_ptr<const Credentials> Ask(const Cancellations& cancellations, std::string* source);
  void Renew(Lock& lock, const Cancellations& cancellations);
  void AwaitRenewal(Lock& lock, const Cancellations& cancellations);
  bool IsValid() const;
  void PlanRenewal();

  const std::vector<std::unique_ptr<CredentialsProvider>> providers_;
  const Environment& environment_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable renewed_;
  bool renewing_ = false;
  std::shared_ptr<const Credentials> current_;
  std::string source_;            // of current_
  WallTime renew_at_;             // of current_, if it expires
  std::optional<Error> failure_;  // of the last renewal
};

}  // namespace pgbackup
