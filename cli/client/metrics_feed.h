// SPDX-License-Identifier: Apache-2.0
// Follows Inspector.WatchMetrics in a thread of its own, and takes it up again where it broke off.
// Thread-safe; `wake` comes on that thread whenever there is something to take, and must not block.
#ifndef CONADV_CLI_CLIENT_METRICS_FEED_H_
#define CONADV_CLI_CLIENT_METRICS_FEED_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "common/thread/mutex.h"
#include "conadv/v1/inspector.grpc.pb.h"

namespace conadv {

class MetricsFeed {
 public:
  MetricsFeed(const std::shared_ptr<grpc::Channel>& channel, std::function<void()> wake);
  ~MetricsFeed();
  MetricsFeed(const MetricsFeed&) = delete;
  MetricsFeed& operator=(const MetricsFeed&) = delete;

  struct Item {
    // The run goes on from this version: what came of later ones is void. The first item always is
    // one.
    std::optional<uint64_t> begins;
    v1::MetricsRecord record;  // otherwise
  };
  // What came since the last call, in order, none twice.
  std::vector<Item> Take();
  // Whether records may still come without a new connection.
  bool following() const;
  // Records that the server did not keep until we asked for them.
  uint64_t missed() const;
  // The run's last version; 0 until it is known, which is before the first record can be taken.
  uint64_t final_version() const;

 private:
  void Run();
  // Until the stream ends; true if there is nothing more to come.
  bool Follow();
  // Asks which lineage it is; false if there is none now.
  bool LearnLineage();
  // The next record is this one.
  void Expect(uint64_t index);
  // False when it is time to stop.
  bool Add(Item item);

  const std::unique_ptr<v1::Inspector::Stub> stub_;
  const std::function<void()> wake_;
  uint64_t lineage_ = 0;  // the thread's, as the next
  uint64_t next_ = 0;     // index
  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<Item> items_ ABSL_GUARDED_BY(mutex_);
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of the call under way
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t missed_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t final_version_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread thread_;  // last: it uses what stands above
};

}  // namespace conadv

#endif  // CONADV_CLI_CLIENT_METRICS_FEED_H_
