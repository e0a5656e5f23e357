// SPDX-License-Identifier: Apache-2.0
// The command line: one of cli/commands.h.
#include <glog/logging.h>
#include <signal.h>

#include <iostream>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  FLAGS_logtostderr = true;
  FLAGS_minloglevel = google::GLOG_WARNING;
  google::InitGoogleLogging(argv[0]);
  // A reader that goes away (conadv status | head) is an error of a write, not our death.
  signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return conadv::Dispatch(conadv::AllCommands(), arguments, std::cout, std::cerr);
}
