// SPDX-License-Identifier: Apache-2.0
// A real server in a process of its own with one large tensor, and a worker's end of its data plane
// here. One thread; exits with a message if something fails.
#ifndef CONADV_TESTS_BENCH_WIRE_LIVE_SHARD_H_
#define CONADV_TESTS_BENCH_WIRE_LIVE_SHARD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/transfer/parameter_client.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "common/wire/client_credentials.h"
#include "tests/soak/tiny_run.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv::bench {

class LiveShard {
 public:
  // Starts the server and gives it its initial weights. `parameters` is about right. With TLS both
  // ends show certificates, of an authority of its own.
  LiveShard(const std::string& server, uint64_t parameters, bool tls = false);

  size_t bytes() const { return weights_->bytes(); }
  pid_t pid() const { return server_.pid(); }

  // Seconds until the newest version is in memory that was there before.
  double Pull();
  // The same, several at once, each through a connection of its own.
  double PullByConnections(size_t connections);
  // Seconds until a contribution is acknowledged. Steps have many slots, so that few of them are
  // followed by an update.
  double Push();

 private:
  std::unique_ptr<ParameterClient> Connect(const std::string& name) const;
  void Offer();
  void WaitFor(Version version);

  const TempDir directory_;
  const SecurityFiles security_;
  const ClientCredentials credentials_;
  const TinyRun run_;
  const std::shared_ptr<const Plan> plan_;
  const Layout layout_;
  Process server_;
  std::string address_;
  std::vector<std::unique_ptr<ParameterClient>> clients_;
  std::vector<std::unique_ptr<Arena>> destinations_;  // of each client
  std::shared_ptr<Arena> weights_;                    // what is pushed
  uint64_t pushed_ = 0;
};

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_WIRE_LIVE_SHARD_H_
