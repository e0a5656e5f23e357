// SPDX-License-Identifier: Apache-2.0
// What every shard of a run says of itself, all at about one time. Blocks.
#ifndef CONADV_CLI_CLIENT_SHARD_SURVEY_H_
#define CONADV_CLI_CLIENT_SHARD_SURVEY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/wire/client_credentials.h"
#include "conadv/v1/inspector.pb.h"

namespace conadv {

struct ShardAnswer {
  std::string address;
  absl::Status reached;  // if not OK, nothing below was said
  v1::StatusResponse status;
  uint64_t layout_hash = 0;                  // 0: it has none yet
  std::map<uint64_t, absl::Time> published;  // versions it keeps, by its own calendar
  // When the certificate that it showed ends; none over connections that are not encrypted.
  std::optional<absl::Time> certificate_ends;
};

// `server` is any of the run's. The answers are by shard; of a run whose shards have not found each
// other, that one's alone. Each call takes at most `timeout`.
std::vector<ShardAnswer> SurveyShards(const std::string& server, absl::Duration timeout,
                                      const ClientCredentials& credentials);

}  // namespace conadv

#endif  // CONADV_CLI_CLIENT_SHARD_SURVEY_H_
