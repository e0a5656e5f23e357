// SPDX-License-Identifier: Apache-2.0
#include "common/program/log_form.h"

#include <glog/logging.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/base/clock.h"

namespace conadv {
namespace {

// Set a few times in a process's life and never freed: a line may be on its way on any thread.
std::atomic<const std::string*> log_role{nullptr};
std::atomic<const std::string*> log_id{nullptr};
std::atomic<const std::string*> log_job{nullptr};
std::atomic<bool> log_json{false};

absl::string_view TextOf(const std::atomic<const std::string*>& text) {
  const std::string* const set = text.load();
  return set == nullptr ? absl::string_view() : absl::string_view(*set);
}

// As glog's own, and who says so.
void WritePrefix(std::ostream& out, const google::LogMessageInfo& line, void*) {
  const google::LogMessageTime& time = line.time;
  const char fill = out.fill('0');
  out << line.severity[0] << std::setw(4) << 1900 + time.year() << std::setw(2) << 1 + time.month()
      << std::setw(2) << time.day() << ' ' << std::setw(2) << time.hour() << ':' << std::setw(2)
      << time.min() << ':' << std::setw(2) << time.sec() << '.' << std::setw(6) << time.usec()
      << std::setfill(' ') << ' ' << std::setw(5) << line.thread_id << ' ' << line.filename << ':'
      << line.line_number << ']' << std::setfill(fill);
  for (const auto* const part : {&log_job, &log_role, &log_id}) {
    if (const absl::string_view text = TextOf(*part); !text.empty()) out << ' ' << text;
  }
  if (!TextOf(log_role).empty()) out << ':';
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

// One write for a line: others write to the same file.
void WriteLine(std::string line) {
  line += '\n';
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

class JsonSink final : public google::LogSink {
 public:
  void send(google::LogSeverity severity, const char* /*full_filename*/, const char* file, int line,
            const google::LogMessageTime& time, const char* message, size_t size) override {
    const absl::Time when = absl::FromTimeT(time.timestamp()) + absl::Microseconds(time.usec());
    WriteLine(LogJson({TimeText(when), google::GetLogSeverityName(severity),
                       absl::StrCat(file, ":", line), std::string(message, size)},
                      TextOf(log_job), TextOf(log_role), TextOf(log_id)));
  }
};

}  // namespace

void BeginLogging(const char* program) {
  google::InitGoogleLogging(program, &WritePrefix);
  FLAGS_logtostderr = true;
}

absl::Status SetLogFormat(absl::string_view format) {
  if (format == "text") return absl::OkStatus();
  if (format != "json") {
    return absl::InvalidArgumentError(
        absl::StrCat("--log_format must be text or json, got ", format));
  }
  // Nothing but the sink writes, and no files are made.
  FLAGS_logtostderr = false;
  FLAGS_stderrthreshold = google::NUM_SEVERITIES;
  for (int severity = 0; severity < google::NUM_SEVERITIES; ++severity) {
    google::SetLogDestination(severity, "");
  }
  static auto* const sink = new JsonSink;
  google::AddLogSink(sink);
  log_json = true;
  return absl::OkStatus();
}

void SetLogRole(const std::string& role, const std::string& id) {
  log_role = new std::string(role);
  log_id = new std::string(id);
}

void SetLogJob(const std::string& job) {
  // A run that goes back has the same.
  if (TextOf(log_job) != job) log_job = new std::string(job);
}

void SayLastWord(absl::string_view program, absl::string_view message) {
  if (!log_json) return WriteLine(absl::StrCat(program, ": ", message));
  WriteLine(LogJson({TimeText(Clock::Real().WallNow()), "ERROR", "", std::string(message)},
                    TextOf(log_job), TextOf(log_role), TextOf(log_id)));
}

std::string LogJson(const LogLine& line, absl::string_view job, absl::string_view role,
                    absl::string_view id) {
  nlohmann::ordered_json json = {{"time", line.time},       {"severity", line.severity},
                                 {"job", std::string(job)}, {"role", std::string(role)},
                                 {"id", std::string(id)},   {"file", line.file},
                                 {"message", line.message}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace conadv
