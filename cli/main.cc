// SPDX-License-Identifier: Apache-2.0
// The command line: one of cli/commands.h.
#include <glog/logging.h>
#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "cli/command/command.h"
#include "cli/commands.h"
#include "common/os/limits.h"
#include "common/program/standard_streams.h"

namespace {

constexpr int kThreads = 8;

}  // namespace

int main(int argc, char** argv) {
  conadv::FillStandardStreams();
  conadv::ExplainLimits("conadv");
  // C's streams would hide why a write failed.
  std::ios::sync_with_stdio(false);
  // gRPC aborts where it gets no threads.
  if (const absl::Status threads = conadv::CheckThreads(kThreads); !threads.ok()) {
    std::cerr << "conadv: " << threads.message() << "\n";
    return 1;
  }
  // gRPC's own lines, one for each failed handshake, would hide ours.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  FLAGS_logtostderr = true;
  FLAGS_minloglevel = google::GLOG_WARNING;
  google::InitGoogleLogging(argv[0]);
  // A reader that goes away (conadv status | head) is an error of a write, not our death.
  signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return conadv::Dispatch(conadv::AllCommands(), arguments, std::cout, std::cerr);
}
