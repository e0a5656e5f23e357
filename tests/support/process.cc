// SPDX-License-Identifier: Apache-2.0
#include "tests/support/process.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

namespace conadv {

Process::Process(std::vector<std::string> arguments, std::vector<std::string> environment)
    : program_(arguments.at(0)) {
  SpawnOptions options;
  options.arguments = std::move(arguments);
  options.environment = std::move(environment);
  absl::StatusOr<Child> child = Spawn(options);
  if (child.ok()) {
    child_ = *std::move(child);
    return;
  }
  ADD_FAILURE() << child.status();
  output_.closed = error_.closed = ended_ = true;
  exit_.code = 127;
}

Process::~Process() {
  if (child_.pid > 0) kill(-child_.pid, SIGKILL);
  if (!ended_) Reap(child_.pid);
}

absl::StatusOr<std::string> Process::ReadLine(absl::Duration deadline) {
  return NextLine(&output_, absl::Now() + deadline);
}

absl::StatusOr<std::string> Process::ReadErrorLine(absl::Duration deadline) {
  return NextLine(&error_, absl::Now() + deadline);
}

absl::StatusOr<std::string> Process::ReadAfter(absl::string_view prefix, absl::Duration deadline) {
  return NextAfter(prefix, &output_, absl::Now() + deadline);
}

absl::StatusOr<std::string> Process::ReadErrorAfter(absl::string_view prefix,
                                                    absl::Duration deadline) {
  return NextAfter(prefix, &error_, absl::Now() + deadline);
}

absl::StatusOr<ExitStatus> Process::Wait(absl::Duration deadline) {
  const absl::Time until = absl::Now() + deadline;
  while (!ended_) {
    if (absl::Now() >= until) {
      return absl::DeadlineExceededError(absl::StrCat(Describe(), "\nstill runs"));
    }
    Step(until);
  }
  return exit_;
}

void Process::Signal(int number) {
  if (running()) kill(child_.pid, number);
}

void Process::Kill() {
  Signal(SIGKILL);
  while (!ended_) Step(absl::InfiniteFuture());
}

void Process::Step(absl::Time until) {
  pollfd polled[3] = {{child_.exited.get(), POLLIN, 0},
                      {output_.closed ? -1 : child_.output.get(), POLLIN, 0},
                      {error_.closed ? -1 : child_.error.get(), POLLIN, 0}};
  const absl::Duration left = std::clamp(until - absl::Now(), absl::ZeroDuration(), absl::Hours(1));
  poll(polled, 3,
       static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1)))));
  if (polled[1].revents != 0) Drain(&child_.output, &output_);
  if (polled[2].revents != 0) Drain(&child_.error, &error_);
  if (polled[0].revents != 0 && !ended_) {
    exit_ = Reap(child_.pid);
    ended_ = true;
    // A grandchild may keep the pipes open: what the program itself printed is in them already.
    Drain(&child_.output, &output_);
    Drain(&child_.error, &error_);
    output_.closed = error_.closed = true;
  }
}

void Process::Drain(FileDescriptor* pipe, Printed* printed) {
  if (printed->closed) return;
  printed->closed = ReadAvailable(pipe->get(), &printed->text) == PipeState::kClosed;
}

absl::StatusOr<std::string> Process::NextLine(Printed* printed, absl::Time until) {
  while (true) {
    const size_t end = printed->text.find('\n', printed->read);
    if (end != std::string::npos) {
      std::string line = printed->text.substr(printed->read, end - printed->read);
      printed->read = end + 1;
      return line;
    }
    if (printed->closed) {
      return absl::OutOfRangeError(absl::StrCat(Describe(), "\nno more lines"));
    }
    if (absl::Now() >= until) {
      return absl::DeadlineExceededError(absl::StrCat(Describe(), "\nno line in time"));
    }
    Step(until);
  }
}

absl::StatusOr<std::string> Process::NextAfter(absl::string_view prefix, Printed* printed,
                                               absl::Time until) {
  while (true) {
    absl::StatusOr<std::string> line = NextLine(printed, until);
    if (!line.ok()) return line;
    absl::string_view rest = *line;
    if (absl::ConsumePrefix(&rest, prefix)) return std::string(rest);
  }
}

std::string Process::Describe() const {
  return absl::StrCat(program_, ": ", ended_ ? exit_.ToString() : "running", "\nstdout:\n",
                      output_.text, "\nstderr:\n", error_.text);
}

}  // namespace conadv
