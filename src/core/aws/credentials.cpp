#include "core/aws/credentials.h"

#include <algorithm>

#include "core/base/iso_time.h"

namespace pgbackup {
namespace {

constexpr std::chrono::minutes kRenewBefore{5};
constexpr std::chrono::seconds kLeastPause{10};

bool AreTheSame(const Credentials& left, const Credentials& right) {
  return left.access_key_id == right.access_key_id &&
         left.secret_access_key == right.secret_access_key &&
         left.session_token == right.session_token;
}

}  // namespace

void CheckPlausible(const Credentials& credentials, const std::string& source) {
  for (const std::string* text : {&credentials.access_key_id, &credentials.session_token})
    for (const char c : *text)
      if (c <= 0x20 || c >= 0x7f)
        throw Error(ErrorKind::kInvalid, "invalid S3 credentials in " + source,
                    "The access key id or session token holds a blank or a control character.");
}

void NoteExpiration(const std::string& text, Credentials* credentials) {
  credentials->expires = credentials->source_ends = ParseIsoTime(text);
}

std::optional<Credentials> EnvironmentCredentials::Load(const Cancellations& /*cancellations*/) {
  Credentials credentials;
  credentials.access_key_id = environment_.Variable("AWS_ACCESS_KEY_ID").value_or("");
  credentials.secret_access_key = environment_.Variable("AWS_SECRET_ACCESS_KEY").value_or("");
  credentials.session_token = environment_.Variable("AWS_SESSION_TOKEN").value_or("");
  if (credentials.access_key_id.empty() && credentials.secret_access_key.empty())
    return std::nullopt;
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty())
    throw Error(ErrorKind::kInvalid,
                "the S3 credentials in the server's environment are incomplete", {},
                "Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither.");
  CheckPlausible(credentials, "the server's environment");
  NoteExpiration(environment_.Variable("AWS_CREDENTIAL_EXPIRATION").value_or(""), &credentials);
  return credentials;
}

std::string EnvironmentCredentials::Absence() const {
  return "The server's environment has no AWS_ACCESS_KEY_ID.";
}

CredentialsChain::CredentialsChain(std::vector<std::unique_ptr<CredentialsProvider>> providers,
                                   const Environment& environment)
    : providers_(std::move(providers)), environment_(environment) {}

std::shared_ptr<const Credentials> CredentialsChain::Ask(const Cancellations& cancellations,
                                                         std::string* source) {
  std::string absences;
  for (const auto& provider : providers_) {
    if (auto found = provider->Load(cancellations)) {
      *source = provider->Source();
      return std::make_shared<const Credentials>(std::move(*found));
    }
    absences += (absences.empty() ? "" : " ") + provider->Absence();
  }
  throw Error(ErrorKind::kDenied, "there are no S3 credentials", absences,
              "Put them into a file with mode 0600 and set pgbackup.s3_credentials_file, or set "
              "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the server's environment.");
}

bool CredentialsChain::IsValid() const {
  return current_ && (!current_->expires || environment_.Now() < *current_->expires);
}

// Sets the time of the next renewal: as early as promised, and never in a rush, for a source may
// hand out what has expired (an instance whose metadata service is in trouble), or fail.
void CredentialsChain::PlanRenewal() {
  if (!current_ || !current_->expires) return;
  const auto now = environment_.Now();
  const auto left = *current_->expires - now;
  const auto wait = left >= 2 * kRenewBefore ? left - kRenewBefore : left / 2;
  renew_at_ = now + std::max<WallTime::duration>(wait, kLeastPause);
}

// Asks the providers, with the lock let go meanwhile; the result is in current_ or failure_.
void CredentialsChain::Renew(Lock& lock, const Cancellations& cancellations) {
  renewing_ = true;
  lock.unlock();
  std::shared_ptr<const Credentials> found;
  std::string source;
  std::optional<Error> failure;
  try {
    found = Ask(cancellations, &source);
  } catch (const Error& error) {
    failure = error;
  } catch (const std::exception&) {
    // Not its words: they may come from a parser that quotes what it read.
    failure = Error(ErrorKind::kInternal, "could not load the S3 credentials");
  }
  lock.lock();
  if (found || !IsValid()) {
    current_ = std::move(found);
    source_ = std::move(source);
  }
  failure_ = std::move(failure);
  PlanRenewal();
  renewing_ = false;
  renewed_.notify_all();
}

// Until nobody renews. Whoever renews heeds its own cancellations, this thread its own.
void CredentialsChain::AwaitRenewal(Lock& lock, const Cancellations& cancellations) {
  constexpr std::chrono::milliseconds kSlice{100};
  while (renewing_) {
    ThrowIfCancelled(cancellations);
    renewed_.wait_for(lock, kSlice);
  }
}

std::shared_ptr<const Credentials> CredentialsChain::Get(const Cancellations& cancellations) {
  Lock lock(mutex_);
  for (;;) {
    if (current_ && (!current_->expires || environment_.Now() < renew_at_)) return current_;
    if (!renewing_) {
      Renew(lock, cancellations);
      if (!failure_) return current_;
      if (failure_->kind() != ErrorKind::kCancelled && IsValid()) return current_;
      throw Error(*failure_);
    }
    if (IsValid()) return current_;
    AwaitRenewal(lock, cancellations);
    // What failed a moment ago is not tried again by everybody; a cancel was not ours.
    if (failure_ && failure_->kind() != ErrorKind::kCancelled) throw Error(*failure_);
  }
}

std::string CredentialsChain::Source() {
  const Lock lock(mutex_);
  return source_;
}

std::optional<WallTime> CredentialsChain::SourceEnds() {
  const Lock lock(mutex_);
  return current_ ? current_->source_ends : std::nullopt;
}

bool CredentialsChain::Refresh(const std::shared_ptr<const Credentials>& used,
                               const Cancellations& cancellations) {
  Lock lock(mutex_);
  AwaitRenewal(lock, cancellations);
  if (current_ != used) return true;  // another thread was quicker
  Renew(lock, cancellations);
  if (failure_) throw Error(*failure_);
  return !AreTheSame(*current_, *used);
}

}  // namespace pgbackup
