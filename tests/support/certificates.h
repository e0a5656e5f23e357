// SPDX-License-Identifier: Apache-2.0
// A certificate authority of the test's own. One thread at a time.
#ifndef CONADV_TESTS_SUPPORT_CERTIFICATES_H_
#define CONADV_TESTS_SUPPORT_CERTIFICATES_H_

#include <memory>
#include <string>

#include "absl/time/time.h"

struct x509_st;
struct evp_pkey_st;

namespace conadv {

struct Issued {
  std::string certificate;  // PEM
  std::string key;
};

struct Subject {
  std::string name = "somebody";
  std::string unit;                    // OU; empty: none
  std::string hosts = "IP:127.0.0.1";  // subjectAltName, as OpenSSL's configuration spells it
  absl::Time not_before = absl::UnixEpoch();
  absl::Time not_after = absl::FromUnixSeconds(4'000'000'000);
};

class CertificateAuthority {
 public:
  CertificateAuthority();

  Issued Issue(const Subject& subject) const;
  const std::string& root() const { return root_; }  // PEM

 private:
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> certificate_;
  std::string root_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SUPPORT_CERTIFICATES_H_
