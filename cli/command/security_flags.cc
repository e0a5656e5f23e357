// SPDX-License-Identifier: Apache-2.0
#include "cli/command/security_flags.h"

namespace conadv {

std::vector<Flag> WithSecurityFlags(std::vector<Flag> flags) {
  flags.push_back({"tls_ca", FlagKind::kText, "FILE", "",
                   "the roots that the servers' certificates lead to; or CONADV_TLS_CA"});
  flags.push_back({"tls_cert", FlagKind::kText, "FILE", "",
                   "your certificate, if the servers want one; or CONADV_TLS_CERT"});
  flags.push_back({"tls_key", FlagKind::kText, "FILE", "", "its key; or CONADV_TLS_KEY"});
  flags.push_back({"token_file", FlagKind::kText, "FILE", "",
                   "a file with your token, if the servers want one; or CONADV_TOKEN_FILE"});
  return flags;
}

SecurityFiles SecurityFilesOf(const FlagValues& flags) {
  SecurityFiles files;
  files.ca = flags.Text("tls_ca");
  files.cert = flags.Text("tls_cert");
  files.key = flags.Text("tls_key");
  files.token = flags.Text("token_file");
  FillFromEnvironment(&files);
  return files;
}

}  // namespace conadv
