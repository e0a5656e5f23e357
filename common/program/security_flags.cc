// SPDX-License-Identifier: Apache-2.0
#include "common/program/security_flags.h"

#include <string>

#include "absl/flags/flag.h"

ABSL_FLAG(
    std::string, tls_ca, "",
    "PEM file with the roots of the certificates that are trusted: connections are encrypted; "
    "or CONADV_TLS_CA");
ABSL_FLAG(
    std::string, tls_cert, "",
    "PEM file with this process's certificate, and what leads to its root; its subject's OU is "
    "its role; read again when it changes; or CONADV_TLS_CERT");
ABSL_FLAG(std::string, tls_key, "", "PEM file with the key of --tls_cert; or CONADV_TLS_KEY");
ABSL_FLAG(std::string, token_file, "",
          "file with the bearer token to show to servers; read again when it changes; or "
          "CONADV_TOKEN_FILE");

namespace conadv {

SecurityFiles SecurityFlags() {
  SecurityFiles files;
  files.ca = absl::GetFlag(FLAGS_tls_ca);
  files.cert = absl::GetFlag(FLAGS_tls_cert);
  files.key = absl::GetFlag(FLAGS_tls_key);
  files.token = absl::GetFlag(FLAGS_token_file);
  FillFromEnvironment(&files);
  return files;
}

}  // namespace conadv
