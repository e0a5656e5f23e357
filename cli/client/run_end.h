// SPDX-License-Identifier: Apache-2.0
// Whether a server that is gone has said that the run is over: it is the last word of its streams,
// which a server that was lost has not spoken. Thread-safe; has a thread of its own.
#ifndef CONADV_CLI_CLIENT_RUN_END_H_
#define CONADV_CLI_CLIENT_RUN_END_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <thread>

#include "absl/time/time.h"
#include "common/thread/mutex.h"
#include "conadv/v1/inspector.grpc.pb.h"

namespace conadv {

class RunEnd {
 public:
  explicit RunEnd(const std::shared_ptr<grpc::Channel>& channel);
  ~RunEnd();
  RunEnd(const RunEnd&) = delete;
  RunEnd& operator=(const RunEnd&) = delete;

  // Nothing more will be heard.
  bool ended() const;
  // Of a server that does not answer any more; its last word may take up to `patience`.
  bool IsOver(absl::Duration patience);

 private:
  void Listen();

  const std::unique_ptr<v1::Inspector::Stub> stub_;
  grpc::ClientContext context_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses what stands above
};

}  // namespace conadv

#endif  // CONADV_CLI_CLIENT_RUN_END_H_
