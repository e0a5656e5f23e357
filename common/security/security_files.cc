// SPDX-License-Identifier: Apache-2.0
#include "common/security/security_files.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/security/certificate.h"
#include "common/security/token_list.h"

namespace conadv {
namespace {

absl::Status Named(absl::string_view flag, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("--", flag, ": ", status.message()));
}

template <class T>
absl::StatusOr<T> Read(absl::string_view flag, const std::string& path,
                       absl::StatusOr<T> (*parse)(absl::string_view), const FileSystem& files) {
  const absl::StatusOr<std::string> text = files.Read(path);
  if (!text.ok()) return Named(flag, text.status());
  absl::StatusOr<T> value = parse(*text);
  if (!value.ok()) {
    return Named(flag, absl::Status(value.status().code(),
                                    absl::StrCat(path, ": ", value.status().message())));
  }
  return value;
}

absl::Status CheckOwnCertificate(const SecurityFiles& files, const FileSystem& file_system,
                                 absl::Time now) {
  if (files.cert.empty() != files.key.empty()) {
    return absl::InvalidArgumentError("--tls_cert and --tls_key go together");
  }
  if (files.cert.empty()) return absl::OkStatus();
  CONADV_ASSIGN_OR_RETURN(
      const CertificateChain chain,
      Read<CertificateChain>("tls_cert", files.cert, &CertificateChain::Parse, file_system));
  const absl::StatusOr<std::string> key = file_system.Read(files.key);
  CONADV_RETURN_IF_ERROR(Named("tls_key", key.status()));
  if (const absl::Status fits = chain.CheckKey(*key); !fits.ok()) {
    return absl::Status(fits.code(), absl::StrCat("--tls_key: ", files.key, ": ", fits.message()));
  }
  const auto day = [](absl::Time time) {
    return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
  };
  if (now < chain.not_before() || now >= chain.ends()) {
    return absl::InvalidArgumentError(absl::StrCat("--tls_cert: ", files.cert, " is valid from ",
                                                   day(chain.not_before()), " to ",
                                                   day(chain.ends()), ", and it is ", day(now)));
  }
  return absl::OkStatus();
}

absl::Status CheckRoots(const SecurityFiles& files, const FileSystem& file_system) {
  if (files.ca.empty()) return absl::OkStatus();
  return Read<CertificateRoots>("tls_ca", files.ca, &CertificateRoots::Parse, file_system).status();
}

absl::Status CheckToken(const SecurityFiles& files, const FileSystem& file_system) {
  if (files.token.empty()) return absl::OkStatus();
  if (files.ca.empty()) {
    return absl::InvalidArgumentError(
        "--token_file needs --tls_ca: a token goes over encrypted connections only");
  }
  return Read<std::string>("token_file", files.token, &ParseToken, file_system).status();
}

}  // namespace

void FillFromEnvironment(const std::function<const char*(const char*)>& environment,
                         SecurityFiles* files) {
  const std::pair<const char*, std::string*> variables[] = {
      {"CONADV_TLS_CA", &files->ca},
      {"CONADV_TLS_CERT", &files->cert},
      {"CONADV_TLS_KEY", &files->key},
      {"CONADV_TOKEN_FILE", &files->token},
  };
  for (const auto& [name, path] : variables) {
    const char* const value = environment(name);
    if (path->empty() && value != nullptr) *path = value;
  }
}

void FillFromEnvironment(SecurityFiles* files) {
  FillFromEnvironment([](const char* name) -> const char* { return std::getenv(name); }, files);
}

absl::Status CheckClientFiles(const SecurityFiles& files, const FileSystem& file_system,
                              absl::Time now) {
  if (!files.cert.empty() && files.ca.empty()) {
    return absl::InvalidArgumentError(
        "--tls_cert needs --tls_ca: the roots that the servers' certificates lead to");
  }
  CONADV_RETURN_IF_ERROR(CheckRoots(files, file_system));
  CONADV_RETURN_IF_ERROR(CheckOwnCertificate(files, file_system, now));
  return CheckToken(files, file_system);
}

absl::Status CheckServerFiles(const SecurityFiles& files, bool loopback, bool insecure,
                              const FileSystem& file_system, absl::Time now) {
  if (files.cert.empty()) {
    if (!files.tokens.empty()) {
      return absl::InvalidArgumentError(
          "--tokens needs --tls_cert and --tls_key: a token goes over encrypted connections only");
    }
    if (!files.ca.empty()) {
      return absl::InvalidArgumentError("--tls_ca needs --tls_cert and --tls_key of this server");
    }
  }
  CONADV_RETURN_IF_ERROR(CheckRoots(files, file_system));
  CONADV_RETURN_IF_ERROR(CheckOwnCertificate(files, file_system, now));
  CONADV_RETURN_IF_ERROR(CheckToken(files, file_system));
  if (!files.tokens.empty()) {
    CONADV_RETURN_IF_ERROR(
        Read<TokenList>("tokens", files.tokens, &TokenList::Parse, file_system).status());
  }
  if (loopback || insecure || !files.tokens.empty() || !files.ca.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--listen: other machines reach this address, and anybody there could push; give ",
      files.cert.empty() ? "--tls_cert and --tls_key with " : "",
      "--tokens (bearer tokens) or --tls_ca (clients' certificates), or, on a network that you "
      "trust, --insecure"));
}

}  // namespace conadv
