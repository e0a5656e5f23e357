// SPDX-License-Identifier: Apache-2.0
#include "common/wire/grpc_log.h"

#include <glog/logging.h>
#include <gmock/gmock.h>
#include <grpc/support/log.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace conadv {
namespace {

class Heard final : public google::LogSink {
 public:
  Heard() { google::AddLogSink(this); }
  ~Heard() override { google::RemoveLogSink(this); }
  void send(google::LogSeverity severity, const char*, const char* file, int, const tm*,
            const char* message, size_t size) override {
    lines.push_back(google::GetLogSeverityName(severity) + std::string(" ") + file + " " +
                    std::string(message, size));
  }
  std::vector<std::string> lines;
};

TEST(GrpcLog, WhatGrpcComplainsOfIsALineOfOurs) {
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  LogGrpcAmongOurs();
  Heard heard;
  gpr_log("src/core/tsi/ssl.cc", 7, GPR_LOG_SEVERITY_ERROR, "handshake %d", 1);
  EXPECT_THAT(heard.lines, testing::ElementsAre("ERROR ssl.cc handshake 1"));
}

}  // namespace
}  // namespace conadv
