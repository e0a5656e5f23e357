// SPDX-License-Identifier: Apache-2.0
#include "common/security/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

constexpr size_t kMostCertificates = 64;

std::unique_ptr<BIO, decltype(&BIO_free)> Reader(absl::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

// A PEM text asks for no passphrase on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

absl::StatusOr<std::vector<std::shared_ptr<X509>>> ReadCertificates(absl::string_view pem) {
  std::vector<std::shared_ptr<X509>> certificates;
  const auto reader = Reader(pem);
  while (X509* const certificate =
             PEM_read_bio_X509(reader.get(), nullptr, NoPassphrase, nullptr)) {
    certificates.emplace_back(certificate, X509_free);
    if (certificates.size() > kMostCertificates) {
      return absl::InvalidArgumentError(
          absl::StrCat("more than ", kMostCertificates, " certificates"));
    }
  }
  // After the last one there is no other: anything else is damage.
  const bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (certificates.empty() || !end) {
    return absl::InvalidArgumentError(
        "no certificate, or a damaged one: PEM is expected, -----"
        "BEGIN CERTIFICATE-----");
  }
  return certificates;
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

std::vector<std::string> SubjectParts(X509* certificate, int kind) {
  std::vector<std::string> parts;
  const X509_NAME* const name = X509_get_subject_name(certificate);
  for (int i = -1; (i = X509_NAME_get_index_by_NID(name, kind, i)) >= 0;) {
    unsigned char* text = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i)));
    if (size >= 0) parts.emplace_back(reinterpret_cast<const char*>(text), size);
    OPENSSL_free(text);
  }
  return parts;
}

}  // namespace

absl::StatusOr<CertificateChain> CertificateChain::Parse(absl::string_view pem) {
  CertificateChain chain;
  CONADV_ASSIGN_OR_RETURN(chain.certificates_, ReadCertificates(pem));
  X509* const own = chain.certificates_.front().get();
  chain.not_before_ = TimeOf(X509_get0_notBefore(own));
  chain.not_after_ = chain.ends_ = TimeOf(X509_get0_notAfter(own));
  for (const auto& certificate : chain.certificates_) {
    chain.ends_ = std::min(chain.ends_, TimeOf(X509_get0_notAfter(certificate.get())));
  }
  const std::vector<std::string> names = SubjectParts(own, NID_commonName);
  if (!names.empty()) chain.common_name_ = names.front();
  chain.organizational_units_ = SubjectParts(own, NID_organizationalUnitName);
  return chain;
}

absl::Status CertificateChain::CheckKey(absl::string_view pem) const {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, NoPassphrase, nullptr), EVP_PKEY_free);
  ERR_clear_error();
  if (key == nullptr) {
    return absl::InvalidArgumentError(
        "no private key in PEM, or one with a passphrase, which nobody is there to type");
  }
  const bool fits = X509_check_private_key(certificates_.front().get(), key.get()) == 1;
  ERR_clear_error();
  if (!fits) return absl::InvalidArgumentError("the key of another certificate");
  return absl::OkStatus();
}

absl::StatusOr<CertificateRoots> CertificateRoots::Parse(absl::string_view pem) {
  CONADV_ASSIGN_OR_RETURN(const auto certificates, ReadCertificates(pem));
  CertificateRoots roots;
  roots.store_ = std::shared_ptr<X509_STORE>(X509_STORE_new(), X509_STORE_free);
  for (const auto& certificate : certificates) {
    X509_STORE_add_cert(roots.store_.get(), certificate.get());
  }
  return roots;
}

absl::Status CertificateRoots::VerifyClient(const CertificateChain& chain, absl::Time now) const {
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> between(
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  for (const auto& certificate : chain.certificates_) {
    sk_X509_push(between.get(), certificate.get());
  }
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(
      X509_STORE_CTX_new(), X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store_.get(), chain.certificates_.front().get(),
                      between.get());
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT);
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()), absl::ToTimeT(now));
  const bool valid = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (valid) return absl::OkStatus();
  if (error == X509_V_ERR_CERT_HAS_EXPIRED) {
    return absl::UnauthenticatedError(
        absl::StrCat("the client's certificate has expired, on ",
                     absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", chain.ends(), absl::UTCTimeZone())));
  }
  return absl::UnauthenticatedError(absl::StrCat("the client's certificate is not to be believed: ",
                                                 X509_verify_cert_error_string(error)));
}

}  // namespace conadv
