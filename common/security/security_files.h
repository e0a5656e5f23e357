// SPDX-License-Identifier: Apache-2.0
// The files that a process proves itself and trusts others by, as flags or the environment name
// them. Plain values.
#ifndef CONADV_COMMON_SECURITY_SECURITY_FILES_H_
#define CONADV_COMMON_SECURITY_SECURITY_FILES_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/os/file.h"

namespace conadv {

struct SecurityFiles {
  std::string ca;      // roots of the certificates that are trusted, PEM
  std::string cert;    // its own certificate with what leads to the root, PEM
  std::string key;     // of it
  std::string token;   // that it shows
  std::string tokens;  // of a server: those that it takes, a TokenList

  bool tls() const { return !ca.empty() || !cert.empty(); }
};

// What a flag leaves empty is CONADV_TLS_CA, CONADV_TLS_CERT, CONADV_TLS_KEY or CONADV_TOKEN_FILE.
// `environment` gives a variable's value or nullptr.
void FillFromEnvironment(const std::function<const char*(const char*)>& environment,
                         SecurityFiles* files);
// By this process's.
void FillFromEnvironment(SecurityFiles* files);

// Of one that connects to servers. INVALID_ARGUMENT, NOT_FOUND, … name the flag: one of a pair is
// missing, a file cannot be read or says something else, a certificate is over, a token would go
// over a connection that is not encrypted.
absl::Status CheckClientFiles(const SecurityFiles& files, const FileSystem& file_system,
                              absl::Time now);

// Of a server that listens where others can reach it, or not (`loopback`). FAILED_PRECONDITION:
// anybody could push. `insecure` allows it.
absl::Status CheckServerFiles(const SecurityFiles& files, bool loopback, bool insecure,
                              const FileSystem& file_system, absl::Time now);

}  // namespace conadv

#endif  // CONADV_COMMON_SECURITY_SECURITY_FILES_H_
