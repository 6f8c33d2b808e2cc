// Credentials of an EC2 instance's role, from its metadata service, version 2 only.
//
// A token first (PUT), then the role's name, then its credentials. A machine outside AWS finds
// nobody there and is held up for a second once; AWS_EC2_METADATA_DISABLED=true spares it that.
#pragma once

#include <string>

#include "core/aws/credentials.h"
#include "core/aws/credentials_http.h"

namespace pgbackup {

class InstanceCredentials final : public CredentialsProvider {
 public:
  explicit InstanceCredentials(const CredentialsServices& services) : services_(services) {}
  // Nullopt when disabled, when nothing of the kind answers, and when the instance has no role;
  // from a service that has answered before, silence is an error.
  std::optional<Credentials> Load(const Cancellations& cancellations) override;
  std::string Source() const override { return "the instance metadata service"; }
  std::string Absence() const override { return absence_; }

 private:
  std::string Origin() const;
  std::optional<std::string> Token(const std::string& origin, const Cancellations& cancellations);
  HttpResponse Read(const std::string& url, const std::string& token,
                    const Cancellations& cancellations) const;

  CredentialsServices services_;
  bool has_answered_ = false;
  std::string absence_;
};

}  // namespace pgbackup
