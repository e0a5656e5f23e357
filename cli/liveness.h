// SPDX-License-Identifier: Apache-2.0
// Which processes of a local run still take part: asks the coordinator now and then, and decides
// who has been away for too long. Thread-safe.
#ifndef CONADV_CLI_LIVENESS_H_
#define CONADV_CLI_LIVENESS_H_

#include <grpcpp/channel.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "conadv/v1/inspector.grpc.pb.h"

namespace conadv {

struct LivenessOptions {
  // A process that took part, or a coordinator that answered, may be away for this long.
  absl::Duration most_away = absl::Seconds(15);
  // Until it first takes part or answers.
  absl::Duration most_starting = absl::Seconds(120);
};

// What is known of the processes. Pure but for what it was told.
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

// Asks who takes part, and what goes wrong, once a second, in a thread of its own.
class MemberPoll {
 public:
  explicit MemberPoll(const std::shared_ptr<grpc::Channel>& channel);
  ~MemberPoll();
  struct Answer {
    std::set<std::string> members;  // names
    std::string warning;
  };
  // If there was one since the last call.
  std::optional<Answer> Take();

 private:
  void Loop();
  std::string Warning();

  const std::unique_ptr<v1::Inspector::Stub> stub_;
  Mutex mutex_;
  CondVar changed_;
  std::optional<Answer> answer_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace conadv

#endif  // CONADV_CLI_LIVENESS_H_
