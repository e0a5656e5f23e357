// SPDX-License-Identifier: Apache-2.0
// How a server or a worker logs: on standard error, each line with the job, the role and which one
// it is; as text for people, or a JSON object a line for what collects logs. One for the process;
// thread-safe.
#ifndef CONADV_COMMON_PROGRAM_LOG_FORM_H_
#define CONADV_COMMON_PROGRAM_LOG_FORM_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace conadv {

// Instead of google::InitGoogleLogging; before any other thread.
void BeginLogging(const char* program);
// "text" or "json"; INVALID_ARGUMENT: neither. Before any other thread.
absl::Status SetLogFormat(absl::string_view format);

// From here on: "server" and its shard, "worker" or "evaluator" and its name. Once.
void SetLogRole(const std::string& role, const std::string& id);
// Once it is known; another one replaces it.
void SetLogJob(const std::string& job);

// The last line: why the program ends. As text "PROGRAM: " is before it.
void SayLastWord(absl::string_view program, absl::string_view message);

// As standard error gets it. What is not UTF-8 is replaced.
struct LogLine {
  std::string time;  // RFC 3339, UTC
  std::string severity;
  std::string file;  // with the line; may be empty
  std::string message;
};
std::string LogJson(const LogLine& line, absl::string_view job, absl::string_view role,
                    absl::string_view id);

}  // namespace conadv

#endif  // CONADV_COMMON_PROGRAM_LOG_FORM_H_
