// SPDX-License-Identifier: Apache-2.0
#include "cli/process/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status_macros.h"
#include "common/os/signals.h"

namespace conadv {
namespace {

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

absl::string_view Advice(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE: return "; raise the limit of open files (ulimit -n)";
    case EAGAIN: return "; raise the limit of processes and threads (ulimit -u)";
    case ENOMEM: return "; free memory, or raise its limit (ulimit -v)";
    default: return "";
  }
}

absl::Status SystemError(const std::string& what) {
  const int error = errno;
  return absl::Status(absl::ErrnoToStatusCode(error),
                      absl::StrCat(what, ": ", strerror(error), Advice(error)));
}

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("cannot make a pipe");
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> MergedEnvironment(const std::vector<std::string>& added) {
  std::vector<std::string> merged = added;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string entry = *variable;
    const std::string name = entry.substr(0, entry.find('=') + 1);
    bool replaced = false;
    for (const std::string& other : added) replaced |= other.compare(0, name.size(), name) == 0;
    if (!replaced) merged.push_back(entry);
  }
  return merged;
}

// Everything the child needs, made before the fork: after it only async-signal-safe calls are
// allowed.
struct Plan {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  int input = -1;
  int output = -1;
  int error = -1;
  int failure = -1;  // gets errno if the program cannot be started; closed by a successful exec
  pid_t parent = 0;
};

[[noreturn]] void RunChild(const Plan& plan) {
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  // We end it by SIGTERM, whatever we do ourselves; what else is ignored, it ignores too.
  for (const int number : {SIGTERM, SIGPIPE}) signal(number, SIG_DFL);
  // Our handlers are not the child's, in the moment before it is another program either.
  for (const int number : {SIGINT, SIGHUP}) {
    if (!Ignored(number)) signal(number, SIG_DFL);
  }
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before the line above.
  if (getppid() != plan.parent) _exit(127);
  if (dup2(plan.input, 0) >= 0 && dup2(plan.output, 1) >= 0 && dup2(plan.error, 2) >= 0) {
    execve(plan.arguments[0], plan.arguments.data(), plan.environment.data());
  }
  const int error = errno;
  if (write(plan.failure, &error, sizeof(error)) < 0) _exit(126);
  _exit(127);
}

}  // namespace

absl::StatusOr<Child> Spawn(const SpawnOptions& options) {
  const std::string& program = options.arguments.at(0);
  CONADV_ASSIGN_OR_RETURN(Pipe output, MakePipe());
  CONADV_ASSIGN_OR_RETURN(Pipe error, MakePipe());
  CONADV_ASSIGN_OR_RETURN(Pipe failure, MakePipe());
  FileDescriptor input(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!input.open()) return SystemError("cannot open /dev/null");
  if (!options.error_path.empty()) {
    error.read.Close();
    error.write = FileDescriptor(
        open(options.error_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!error.write.open()) return SystemError(absl::StrCat("cannot write ", options.error_path));
  }

  const std::vector<std::string> environment = MergedEnvironment(options.environment);
  Plan plan;
  plan.arguments = Pointers(options.arguments);
  plan.environment = Pointers(environment);
  plan.input = input.get();
  plan.output = output.write.get();
  plan.error = error.write.get();
  plan.failure = failure.write.get();
  plan.parent = getpid();

  Child child;
  child.pid = fork();
  if (child.pid < 0) return SystemError(absl::StrCat("cannot start ", program));
  if (child.pid == 0) RunChild(plan);

  failure.write.Close();
  int child_errno = 0;
  ssize_t size = 0;
  do {
    size = read(failure.read.get(), &child_errno, sizeof(child_errno));
  } while (size < 0 && errno == EINTR);
  if (size == sizeof(child_errno)) {
    Reap(child.pid);
    return absl::ErrnoToStatus(child_errno, absl::StrCat("cannot start ", program));
  }

  child.exited = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, child.pid, 0)));
  if (!child.exited.open()) {
    const absl::Status status = SystemError(absl::StrCat("cannot follow ", program));
    kill(child.pid, SIGKILL);
    Reap(child.pid);
    return status;
  }
  child.output = std::move(output.read);
  fcntl(child.output.get(), F_SETFL, O_NONBLOCK);
  if (error.read.open()) {
    child.error = std::move(error.read);
    fcntl(child.error.get(), F_SETFL, O_NONBLOCK);
  }
  return child;
}

ExitStatus Reap(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return {0, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

}  // namespace conadv
