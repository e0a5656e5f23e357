// SPDX-License-Identifier: Apache-2.0
// Asks the coordinator who takes part, and what goes wrong, once a second, in a thread of its own.
// Thread-safe.
#ifndef CONADV_CLI_CLIENT_MEMBER_POLL_H_
#define CONADV_CLI_CLIENT_MEMBER_POLL_H_

#include <grpcpp/channel.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "common/thread/mutex.h"
#include "conadv/v1/inspector.grpc.pb.h"

namespace conadv {

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

#endif  // CONADV_CLI_CLIENT_MEMBER_POLL_H_
