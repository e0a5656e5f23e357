// SPDX-License-Identifier: Apache-2.0
// X.509 certificates in PEM, by OpenSSL: what they say, and whether a chain of them is to be
// believed. Immutable; thread-safe.
#ifndef CONADV_COMMON_SECURITY_CERTIFICATE_H_
#define CONADV_COMMON_SECURITY_CERTIFICATE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

struct x509_st;
struct x509_store_st;

namespace conadv {

// The peer's own certificate first, then those that lead to its root.
class CertificateChain {
 public:
  // INVALID_ARGUMENT: there is none in it, or something else.
  static absl::StatusOr<CertificateChain> Parse(absl::string_view pem);

  // Of the first one.
  absl::Time not_before() const { return not_before_; }
  absl::Time not_after() const { return not_after_; }
  const std::string& common_name() const { return common_name_; }
  const std::vector<std::string>& organizational_units() const { return organizational_units_; }
  // Of all that lead to the root: when one of them ends, the chain does.
  absl::Time ends() const { return ends_; }

  // INVALID_ARGUMENT: it is no private key without a passphrase, or another certificate's.
  absl::Status CheckKey(absl::string_view pem) const;

 private:
  friend class CertificateRoots;

  std::vector<std::shared_ptr<x509_st>> certificates_;
  absl::Time not_before_;
  absl::Time not_after_;
  absl::Time ends_;
  std::string common_name_;
  std::vector<std::string> organizational_units_;
};

class CertificateRoots {
 public:
  static absl::StatusOr<CertificateRoots> Parse(absl::string_view pem);

  // Whether the chain leads to a root, may be a client's, and is valid at `now`. UNAUTHENTICATED
  // says why not.
  absl::Status VerifyClient(const CertificateChain& chain, absl::Time now) const;

 private:
  std::shared_ptr<x509_store_st> store_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_SECURITY_CERTIFICATE_H_
