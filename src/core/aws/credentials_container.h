// Credentials of a container: ECS tasks, EKS pod identities and what imitates them.
//
// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is a path on the ECS agent; _FULL_URI names any endpoint
// over https, over http only one that cannot leave the machine. What is in
// AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE (read anew for every refresh), else in
// AWS_CONTAINER_AUTHORIZATION_TOKEN, is sent along.
#pragma once

#include <string>

#include "core/aws/credentials.h"
#include "core/aws/credentials_http.h"

namespace pgbackup {

class ContainerCredentials final : public CredentialsProvider {
 public:
  explicit ContainerCredentials(const CredentialsServices& services) : services_(services) {}
  std::optional<Credentials> Load(const Cancellations& cancellations) override;
  std::string Source() const override { return "the container credentials endpoint"; }
  std::string Absence() const override;

 private:
  CredentialsServices services_;
};

// Whether credentials may be asked for at `url`: https to any host; http to localhost, a loopback
// address or one of the link-local addresses of ECS and EKS.
bool IsSafeContainerUrl(const std::string& url);

}  // namespace pgbackup
