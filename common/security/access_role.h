// SPDX-License-Identifier: Apache-2.0
// What a caller may do. Plain values, pure functions.
#ifndef CONADV_COMMON_SECURITY_ACCESS_ROLE_H_
#define CONADV_COMMON_SECURITY_ACCESS_ROLE_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace conadv {

// Each may do what those before it may, and more.
enum class AccessRole {
  kAnyone,  // no credentials: health
  kViewer,  // look, and pull weights
  kWorker,  // take part: lease, push, report
  kServer,  // be a shard
  kAdmin,   // change the run
};

// "viewer", "worker", "server" or "admin".
absl::string_view NameOf(AccessRole role);
std::optional<AccessRole> ParseAccessRole(absl::string_view name);
// For messages: "viewer, worker, server or admin".
inline constexpr char kAccessRoles[] = "viewer, worker, server or admin";

// The least role that a gRPC method wants, by its path, "/conadv.v1.Inspector/Status". What is not
// known is the admin's, so that a method that is added is closed until it is listed.
AccessRole LeastRoleFor(absl::string_view method);

}  // namespace conadv

#endif  // CONADV_COMMON_SECURITY_ACCESS_ROLE_H_
