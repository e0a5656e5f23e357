// SPDX-License-Identifier: Apache-2.0
// Why a server's certificate is not trusted, for people: gRPC passes on what OpenSSL says. Pure
// functions.
#ifndef CONADV_COMMON_WIRE_CERTIFICATE_PROBLEM_H_
#define CONADV_COMMON_WIRE_CERTIFICATE_PROBLEM_H_

#include "absl/status/status.h"

namespace conadv {

// `status` of a call that did not get through, as gRPC says it; if the server's certificate was
// why, with what is wrong and what to do, and marked so.
absl::Status ExplainCertificateProblem(const absl::Status& status);
// Whether it is so marked.
bool IsCertificateProblem(const absl::Status& status);

}  // namespace conadv

#endif  // CONADV_COMMON_WIRE_CERTIFICATE_PROBLEM_H_
