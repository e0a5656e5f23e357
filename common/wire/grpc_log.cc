// SPDX-License-Identifier: Apache-2.0
#include "common/wire/grpc_log.h"

#include <glog/logging.h>
#include <grpc/support/log.h>

namespace conadv {
namespace {

google::LogSeverity SeverityOf(gpr_log_severity severity) {
  switch (severity) {
    case GPR_LOG_SEVERITY_DEBUG:
    case GPR_LOG_SEVERITY_INFO: return google::GLOG_INFO;
    case GPR_LOG_SEVERITY_ERROR: return google::GLOG_ERROR;
  }
  return google::GLOG_ERROR;
}

void Log(gpr_log_func_args* line) {
  google::LogMessage(line->file, line->line, SeverityOf(line->severity)).stream() << line->message;
}

}  // namespace

void LogGrpcAmongOurs() { gpr_set_log_function(Log); }

}  // namespace conadv
