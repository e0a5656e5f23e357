// SPDX-License-Identifier: Apache-2.0
#include "common/security/access_role.h"

#include <utility>

#include "absl/strings/match.h"

namespace conadv {
namespace {

constexpr std::pair<AccessRole, absl::string_view> kNames[] = {
    {AccessRole::kViewer, "viewer"},
    {AccessRole::kWorker, "worker"},
    {AccessRole::kServer, "server"},
    {AccessRole::kAdmin, "admin"},
};

// A path that ends with a slash stands for all methods of a service. The first that fits counts.
constexpr std::pair<absl::string_view, AccessRole> kMethods[] = {
    // Probes have no credentials.
    {"/grpc.health.v1.Health/", AccessRole::kAnyone},
    {"/grpc.reflection.v1alpha.ServerReflection/", AccessRole::kViewer},
    {"/conadv.v1.Inspector/", AccessRole::kViewer},
    {"/conadv.v1.Coordinator/GetJob", AccessRole::kViewer},
    // Who says there that it is a shard has to be a server.
    {"/conadv.v1.Coordinator/Join", AccessRole::kWorker},
    {"/conadv.v1.Coordinator/Report", AccessRole::kWorker},
    {"/conadv.v1.ParameterServer/Describe", AccessRole::kViewer},
    {"/conadv.v1.ParameterServer/Pull", AccessRole::kViewer},
    {"/conadv.v1.ParameterServer/Watch", AccessRole::kViewer},
    {"/conadv.v1.ParameterServer/Push", AccessRole::kWorker},
    {"/conadv.v1.ParameterServer/CombineNorms", AccessRole::kServer},
};

}  // namespace

absl::string_view NameOf(AccessRole role) {
  for (const auto& [known, name] : kNames) {
    if (known == role) return name;
  }
  return "anyone";
}

std::optional<AccessRole> ParseAccessRole(absl::string_view name) {
  for (const auto& [role, known] : kNames) {
    if (known == name) return role;
  }
  return std::nullopt;
}

AccessRole LeastRoleFor(absl::string_view method) {
  for (const auto& [path, role] : kMethods) {
    if (path.back() == '/' ? absl::StartsWith(method, path) : method == path) return role;
  }
  return AccessRole::kAdmin;
}

}  // namespace conadv
