// SPDX-License-Identifier: Apache-2.0
// What is wrong with a run, from what its shards say, and what to do about it. A pure function.
#ifndef CONADV_CLI_DOCTOR_EXAMINE_H_
#define CONADV_CLI_DOCTOR_EXAMINE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/client/shard_survey.h"

namespace conadv {

struct Finding {
  bool wrong = false;
  std::string about;  // "shard 1", "versions"
  std::string what;
  std::string advice;  // what to do; empty if nothing is wrong
};

// `now` is our calendar's. At least one finding for each thing that is looked at.
std::vector<Finding> Examine(const std::vector<ShardAnswer>& shards, absl::Time now);

// Of a certificate that ends then.
Finding ExamineCertificate(const std::string& about, absl::Time ends, absl::Time now);

}  // namespace conadv

#endif  // CONADV_CLI_DOCTOR_EXAMINE_H_
