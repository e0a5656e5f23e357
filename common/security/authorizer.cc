// SPDX-License-Identifier: Apache-2.0
#include "common/security/authorizer.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

// As many peers as come at once: then it is forgotten, and filled anew.
constexpr size_t kMostVerified = 4096;
constexpr size_t kLongestHeader = 8192;

template <class T>
absl::StatusOr<std::unique_ptr<WatchedFiles<T>>> OpenUnlessEmpty(const std::string& path,
                                                                 const FileSystem* files,
                                                                 const Clock* clock) {
  if (path.empty()) return nullptr;
  return WatchedFiles<T>::OpenOne(path, T::Parse, files, clock);
}

// Of an Authorization header; nothing: it has none.
std::optional<std::string> TokenOf(absl::string_view header) {
  const size_t space = header.find(' ');
  if (space == absl::string_view::npos || header.size() > kLongestHeader) return std::nullopt;
  const absl::string_view scheme = header.substr(0, space);
  const absl::string_view rest = absl::StripAsciiWhitespace(header.substr(space));
  if (absl::EqualsIgnoreCase(scheme, "bearer")) return std::string(rest);
  std::string login;
  if (!absl::EqualsIgnoreCase(scheme, "basic") || !absl::Base64Unescape(rest, &login)) {
    return std::nullopt;
  }
  const size_t colon = login.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return login.substr(colon + 1);
}

absl::StatusOr<AccessRole> RoleNamedBy(const CertificateChain& chain) {
  std::optional<AccessRole> role;
  for (const std::string& unit : chain.organizational_units()) {
    const std::optional<AccessRole> named = ParseAccessRole(unit);
    if (named.has_value() && (!role.has_value() || *named > *role)) role = named;
  }
  if (role.has_value()) return *role;
  return absl::PermissionDeniedError(absl::StrCat(
      "the client's certificate names no role: the OU of its subject has to be ", kAccessRoles));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Authorizer>> Authorizer::Create(const SecurityFiles& files,
                                                               const FileSystem* file_system,
                                                               const Clock* clock) {
  std::unique_ptr<Authorizer> authorizer(new Authorizer(clock));
  CONADV_ASSIGN_OR_RETURN(authorizer->tokens_,
                          OpenUnlessEmpty<TokenList>(files.tokens, file_system, clock));
  CONADV_ASSIGN_OR_RETURN(authorizer->roots_,
                          OpenUnlessEmpty<CertificateRoots>(files.ca, file_system, clock));
  return authorizer;
}

absl::Status Authorizer::NothingShown() const {
  return absl::UnauthenticatedError(
      absl::StrCat("this server wants ", tokens_ != nullptr ? "a token (--token_file=FILE)" : "",
                   tokens_ != nullptr && roots_ != nullptr ? " or " : "",
                   roots_ != nullptr ? "a certificate (--tls_cert=FILE --tls_key=FILE)" : ""));
}

absl::StatusOr<AccessRole> Authorizer::RoleOf(const CallerProof& proof) {
  if (tokens_ == nullptr && roots_ == nullptr) return AccessRole::kAdmin;
  if (proof.authorization.has_value()) return RoleOfHeader(*proof.authorization);
  if (proof.certificates.has_value() && roots_ != nullptr) {
    return RoleOfCertificates(*proof.certificates);
  }
  return NothingShown();
}

absl::StatusOr<AccessRole> Authorizer::RoleOfHeader(absl::string_view authorization) {
  if (tokens_ == nullptr) {
    return absl::UnauthenticatedError(
        "this server takes no tokens; show a certificate (--tls_cert=FILE --tls_key=FILE)");
  }
  const std::optional<std::string> token = TokenOf(authorization);
  const std::optional<AccessRole> role =
      token.has_value() ? tokens_->Get()->RoleOf(*token) : std::nullopt;
  if (role.has_value()) return *role;
  return absl::UnauthenticatedError("the token is none of this server's");
}

absl::StatusOr<AccessRole> Authorizer::RoleOfCertificates(absl::string_view pem) {
  const std::shared_ptr<const CertificateRoots> roots = roots_->Get();
  const absl::Time now = clock_->WallNow();
  {
    MutexLock lock(&mutex_);
    const auto known = verified_.find(pem);
    if (known != verified_.end() && known->second.roots == roots && now < known->second.ends) {
      return known->second.role;
    }
  }
  const absl::StatusOr<CertificateChain> chain = CertificateChain::Parse(pem);
  if (!chain.ok()) {
    return absl::UnauthenticatedError(
        absl::StrCat("the client's certificate: ", chain.status().message()));
  }
  CONADV_RETURN_IF_ERROR(roots->VerifyClient(*chain, now));
  CONADV_ASSIGN_OR_RETURN(const AccessRole role, RoleNamedBy(*chain));
  MutexLock lock(&mutex_);
  if (verified_.size() >= kMostVerified) verified_.clear();
  verified_.insert_or_assign(std::string(pem), Verified{roots, role, chain->ends()});
  return role;
}

absl::Status Authorizer::Check(const CallerProof& proof, AccessRole least, absl::string_view what) {
  if (least == AccessRole::kAnyone) return absl::OkStatus();
  CONADV_ASSIGN_OR_RETURN(const AccessRole role, RoleOf(proof));
  if (role >= least) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(what, " is for the role ", NameOf(least),
                                                  least == AccessRole::kAdmin ? "" : " and above",
                                                  "; yours is ", NameOf(role)));
}

}  // namespace conadv
