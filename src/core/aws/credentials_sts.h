// The Security Token Service: temporary credentials for a role.
//
// Follows the STS API reference, version 2011-06-15: AssumeRole, signed with the credentials of
// whoever takes the role, and AssumeRoleWithWebIdentity, which a token vouches for.
#pragma once

#include <string>

#include "core/aws/credentials.h"
#include "core/aws/credentials_http.h"
#include "core/aws/sigv4.h"

namespace pgbackup {

struct AssumedRole {
  std::string arn;
  std::string session_name = "pgbackup";
  std::string external_id;       // may be empty
  std::string duration_seconds;  // empty: the service's own, an hour
};

class StsClient {
 public:
  // Asks AWS_ENDPOINT_URL_STS if that is set, else AWS's endpoint of the region. Throws kInvalid
  // for a region or an endpoint that cannot be one. `services` outlive the client.
  StsClient(const CredentialsServices& services, std::string region);

  // The role's credentials. Throw Error naming the role.
  Credentials AssumeRole(const AssumedRole& role, const Credentials& as,
                         const Cancellations& cancellations) const;
  Credentials AssumeRoleWithWebIdentity(const AssumedRole& role, const std::string& token,
                                        const Cancellations& cancellations) const;

 private:
  Credentials Ask(const std::string& action, const AssumedRole& role, NameValues form,
                  const Credentials* signed_by, const Cancellations& cancellations) const;

  CredentialsServices services_;
  std::string region_;
  std::string origin_;  // "https://sts.eu-central-1.amazonaws.com"
  std::string path_;    // "/"
};

// AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE: a pod with a service account (IRSA). The token file
// is read anew for every refresh, because the platform replaces it.
class WebIdentityCredentials final : public CredentialsProvider {
 public:
  WebIdentityCredentials(const CredentialsServices& services, std::string region)
      : services_(services), region_(std::move(region)) {}
  std::optional<Credentials> Load(const Cancellations& cancellations) override;
  std::string Source() const override { return "a web identity token and a role"; }
  std::string Absence() const override;

 private:
  CredentialsServices services_;
  std::string region_;
};

}  // namespace pgbackup
