// SPDX-License-Identifier: Apache-2.0
// Who a caller is, by its token or its certificate, and whether it may do what it asks for.
// Thread-safe.
#ifndef CONADV_COMMON_SECURITY_AUTHORIZER_H_
#define CONADV_COMMON_SECURITY_AUTHORIZER_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/clock.h"
#include "common/os/file.h"
#include "common/security/access_role.h"
#include "common/security/certificate.h"
#include "common/security/security_files.h"
#include "common/security/token_list.h"
#include "common/security/watched_files.h"
#include "common/thread/mutex.h"

namespace conadv {

// What a caller shows. Views into the call.
struct CallerProof {
  std::optional<absl::string_view> authorization;  // the header: "Bearer TOKEN", or Basic with the
                                                   // token as the password, as browsers ask for it
  std::optional<absl::string_view> certificates;   // the peer's chain, in PEM
};

class Authorizer {
 public:
  // Takes the tokens of `files.tokens` and clients' certificates of the roots in `files.ca`. With
  // neither, everybody is an admin. Errors name the file. `file_system` and `clock` outlive it.
  static absl::StatusOr<std::unique_ptr<Authorizer>> Create(const SecurityFiles& files,
                                                            const FileSystem* file_system,
                                                            const Clock* clock);

  // A token that is given counts, whatever certificate there is. UNAUTHENTICATED: who this is
  // cannot be believed, and what to show. PERMISSION_DENIED: a certificate that names no role.
  absl::StatusOr<AccessRole> RoleOf(const CallerProof& proof);
  // Whether that is enough for `least`. `what` names it, for PERMISSION_DENIED.
  absl::Status Check(const CallerProof& proof, AccessRole least, absl::string_view what);

  bool takes_tokens() const { return tokens_ != nullptr; }
  bool takes_certificates() const { return roots_ != nullptr; }

 private:
  struct Verified {
    std::shared_ptr<const CertificateRoots> roots;  // by these
    AccessRole role;
    absl::Time ends;
  };

  Authorizer(const Clock* clock) : clock_(clock) {}
  absl::StatusOr<AccessRole> RoleOfHeader(absl::string_view authorization);
  absl::StatusOr<AccessRole> RoleOfCertificates(absl::string_view pem);
  absl::Status NothingShown() const;

  const Clock* const clock_;
  std::unique_ptr<WatchedFiles<TokenList>> tokens_;
  std::unique_ptr<WatchedFiles<CertificateRoots>> roots_;
  Mutex mutex_;
  // Checking signatures costs more than most calls: each chain is checked once.
  absl::flat_hash_map<std::string, Verified> verified_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_COMMON_SECURITY_AUTHORIZER_H_
