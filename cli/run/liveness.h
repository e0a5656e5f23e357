// SPDX-License-Identifier: Apache-2.0
// Which processes of a local run still take part, and who has been away for too long. Pure but for
// what it was told. One thread at a time.
#ifndef CONADV_CLI_RUN_LIVENESS_H_
#define CONADV_CLI_RUN_LIVENESS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace conadv {

struct LivenessOptions {
  // A process that took part, or a coordinator that answered, may be away for this long.
  absl::Duration most_away = absl::Seconds(15);
  // Until it first takes part or answers.
  absl::Duration most_starting = absl::Seconds(120);
};

class Liveness {
 public:
  explicit Liveness(const LivenessOptions& options) : options_(options) {}

  void OnStart(const std::string& process, absl::Time now) { seen_[process] = {now, false}; }
  void OnExit(const std::string& process) { seen_.erase(process); }
  // The coordinator, which runs in `coordinator`, answered: these take part.
  void OnAnswer(const std::string& coordinator, const std::set<std::string>& members,
                absl::Time now);
  // Those that run but do nothing; each is named once until it is started again. While the
  // coordinator does not answer nothing is known of the others. Call it every second or so: after a
  // longer pause it is we who were away.
  std::vector<std::string> TakeLost(absl::Time now);

 private:
  struct Seen {
    absl::Time last;
    bool took_part = false;
  };
  bool IsLost(const Seen& seen, absl::Time now) const;

  const LivenessOptions options_;
  std::string coordinator_;
  absl::Time answered_ = absl::InfinitePast();
  absl::Time looked_ = absl::InfiniteFuture();
  std::map<std::string, Seen> seen_;
};

}  // namespace conadv

#endif  // CONADV_CLI_RUN_LIVENESS_H_
