// SPDX-License-Identifier: Apache-2.0
#include "cli/process/supervisor.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/os/signals.h"

namespace conadv {
namespace {

absl::Time Now() { return Clock::Real().Now(); }

// Rounded up, so that a wait does not spin through its last millisecond.
int PollMilliseconds(absl::Time until) {
  const absl::Duration left = std::clamp(until - Now(), absl::ZeroDuration(), absl::Hours(1));
  return static_cast<int>(absl::Ceil(left, absl::Milliseconds(1)) / absl::Milliseconds(1));
}

// The thread that takes signals as events.
pthread_t taker;

// Runs on threads that were there before us, as libraries start them when they are loaded: they do
// not block the signals, and would end the process with what they get.
void HandOn(int number) { pthread_kill(taker, number); }

}  // namespace

absl::StatusOr<std::unique_ptr<Supervisor>> Supervisor::Create() {
  std::unique_ptr<Supervisor> supervisor(new Supervisor);
  taker = pthread_self();
  sigset_t mask;
  sigemptyset(&mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    // One that is blocked would come although it is ignored.
    if (!Ignored(number)) sigaddset(&mask, number);
  }
  pthread_sigmask(SIG_BLOCK, &mask, &supervisor->former_mask_);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (sigismember(&mask, number) != 1) continue;
    struct sigaction action {};
    action.sa_handler = &HandOn;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, &supervisor->former_actions_[number]);
  }
  supervisor->signals_ = FileDescriptor(signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  supervisor->wake_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!supervisor->signals_.open() || !supervisor->wake_.open()) {
    return absl::ErrnoToStatus(errno, "cannot wait for signals");
  }
  return supervisor;
}

Supervisor::~Supervisor() {
  for (auto& [name, running] : running_) kill(-running.child.pid, SIGKILL);
  for (auto& [name, running] : running_) Reap(running.child.pid);
  for (const auto& [number, action] : former_actions_) sigaction(number, &action, nullptr);
  pthread_sigmask(SIG_SETMASK, &former_mask_, nullptr);
}

absl::Status Supervisor::Start(const ProcessSpec& spec) {
  if (Runs(spec.name)) return absl::AlreadyExistsError(absl::StrCat(spec.name, " runs already"));
  SpawnOptions options;
  options.arguments = spec.arguments;
  options.error_path = spec.log_path;
  CONADV_ASSIGN_OR_RETURN(Child child, Spawn(options));
  running_[spec.name].child = std::move(child);
  return absl::OkStatus();
}

ProcessEvent Supervisor::Next(absl::Time until) {
  // A pipe that closes, or half a line, wakes the poll and is no event.
  do {
    if (events_.empty()) Poll(until);
  } while (events_.empty() && Now() < until);
  if (events_.empty()) return {};
  ProcessEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void Supervisor::Wake() {
  const uint64_t one = 1;
  // Full means that a wake-up is pending anyway.
  if (write(wake_.get(), &one, sizeof(one)) < 0) return;
}

bool Supervisor::Runs(absl::string_view process) const {
  return running_.count(std::string(process)) > 0;
}

std::vector<std::string> Supervisor::running() const {
  std::vector<std::string> names;
  for (const auto& [name, running] : running_) names.push_back(name);
  return names;
}

bool Supervisor::AnyRuns(absl::Span<const std::string> processes) const {
  return std::any_of(processes.begin(), processes.end(),
                     [&](const std::string& process) { return Runs(process); });
}

void Supervisor::Stop(absl::Span<const std::string> processes, absl::Duration grace) {
  for (const std::string& process : processes) Signal(process, SIGTERM);
  const absl::Time until = Now() + grace;
  bool hurry = false;
  while (AnyRuns(processes) && !hurry && Now() < until) {
    hurry = Next(until).kind == ProcessEvent::Kind::kInterrupted;
  }
  for (const std::string& process : processes) Signal(process, SIGKILL);
  while (AnyRuns(processes)) Next(absl::InfiniteFuture());
}

void Supervisor::Signal(const std::string& process, int number) {
  const auto found = running_.find(process);
  if (found != running_.end()) kill(found->second.child.pid, number);
}

void Supervisor::Poll(absl::Time until) {
  std::vector<pollfd> polled = {{signals_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
  std::vector<std::string> names = running();
  for (const std::string& name : names) {
    const Running& running = running_[name];
    polled.push_back({running.child.exited.get(), POLLIN, 0});
    polled.push_back({running.output_closed ? -1 : running.child.output.get(), POLLIN, 0});
  }
  if (poll(polled.data(), polled.size(), PollMilliseconds(until)) <= 0) return;

  signalfd_siginfo signal;
  if (polled[0].revents != 0 && read(signals_.get(), &signal, sizeof(signal)) > 0) {
    events_.push_back(
        {ProcessEvent::Kind::kInterrupted, "", "", {}, static_cast<int>(signal.ssi_signo)});
  }
  uint64_t wakes = 0;
  if (polled[1].revents != 0 && read(wake_.get(), &wakes, sizeof(wakes)) > 0) {
    events_.push_back({ProcessEvent::Kind::kWoken, "", "", {}, 0});
  }
  for (size_t i = 0; i < names.size(); ++i) {
    Running& running = running_[names[i]];
    const bool exited = polled[2 + 2 * i].revents != 0;
    if (exited || polled[3 + 2 * i].revents != 0) ReadLines(names[i], &running);
    if (!exited) continue;
    const ExitStatus exit = Reap(running.child.pid);
    running_.erase(names[i]);
    events_.push_back({ProcessEvent::Kind::kExit, names[i], "", exit, 0});
  }
}

void Supervisor::ReadLines(const std::string& name, Running* running) {
  if (running->output_closed) return;
  std::string bytes;
  running->output_closed = ReadAvailable(running->child.output.get(), &bytes) == PipeState::kClosed;
  for (std::string& line : running->lines.Add(bytes)) {
    events_.push_back({ProcessEvent::Kind::kLine, name, std::move(line), {}, 0});
  }
}

}  // namespace conadv
