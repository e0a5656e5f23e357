// SPDX-License-Identifier: Apache-2.0
// A program under test: what it prints, when it ends, and a way to kill it. Nothing outlives the
// object. One thread at a time; make it in the test's main thread (see cli/process/spawn.h).
#ifndef CONADV_TESTS_SUPPORT_PROCESS_H_
#define CONADV_TESTS_SUPPORT_PROCESS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/process/lines.h"
#include "cli/process/spawn.h"

namespace conadv {

class Process {
 public:
  // arguments[0] is the program's path. `environment` has "NAME=value" entries in addition to ours.
  // A program that cannot be started fails the test, and every wait for it returns at once.
  explicit Process(std::vector<std::string> arguments, std::vector<std::string> environment = {});
  // Kills it, and its process group, if it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // The next line of standard output or standard error. DEADLINE_EXCEEDED, or OUT_OF_RANGE once it
  // is closed; both with all that was printed until then.
  absl::StatusOr<std::string> ReadLine(absl::Duration deadline);
  absl::StatusOr<std::string> ReadErrorLine(absl::Duration deadline);
  // What follows `prefix` in the next line that has it ("listening on " → "127.0.0.1:4711"); other
  // lines are skipped.
  absl::StatusOr<std::string> ReadAfter(absl::string_view prefix, absl::Duration deadline);
  absl::StatusOr<std::string> ReadErrorAfter(absl::string_view prefix, absl::Duration deadline);

  // Until it has ended and all it printed has been read. DEADLINE_EXCEEDED: it still runs.
  absl::StatusOr<ExitStatus> Wait(absl::Duration deadline);
  void Signal(int number);
  // SIGKILL, then waits.
  void Kill();
  bool running() const { return child_.pid > 0 && !ended_; }

  pid_t pid() const { return child_.pid; }
  // Everything printed so far, as far as a wait or a read has seen it.
  const std::string& output() const { return output_.text; }
  const std::string& error() const { return error_.text; }

 private:
  struct Printed {
    std::string text;
    size_t read = 0;  // where the next line begins
    bool closed = false;
  };

  // Polls once, until something happens or `until`.
  void Step(absl::Time until);
  void Drain(FileDescriptor* pipe, Printed* printed);
  absl::StatusOr<std::string> NextLine(Printed* printed, absl::Time until);
  absl::StatusOr<std::string> NextAfter(absl::string_view prefix, Printed* printed,
                                        absl::Time until);
  std::string Describe() const;

  const std::string program_;
  Child child_;
  Printed output_;
  Printed error_;
  bool ended_ = false;
  ExitStatus exit_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SUPPORT_PROCESS_H_
