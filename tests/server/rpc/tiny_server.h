// SPDX-License-Identifier: Apache-2.0
// A server of a tiny run, in this process.
#ifndef CONADV_TESTS_SERVER_RPC_TINY_SERVER_H_
#define CONADV_TESTS_SERVER_RPC_TINY_SERVER_H_

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "server/process/server.h"
#include "tests/soak/tiny_run.h"

namespace conadv {

// nullptr: it did not start, and the test has failed.
inline std::unique_ptr<Server> StartServer(const TinyRun& run, const ReaderOptions& readers = {}) {
  LaunchOptions options;
  options.job = JobOf(run);
  options.listen = "127.0.0.1:0";
  options.readers = readers;
  auto server = Server::Start(std::move(options));
  EXPECT_TRUE(server.ok()) << server.status();
  return server.ok() ? *std::move(server) : nullptr;
}

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_RPC_TINY_SERVER_H_
