// SPDX-License-Identifier: Apache-2.0
#include "tests/chaos/injector.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/os/file_descriptor.h"
#include "tests/support/children.h"

namespace conadv {
namespace {

namespace fs = std::filesystem;

// How the process's command line tells it from the others.
std::string WordOf(const std::string& process) {
  const std::string server = "server-";
  if (process.rfind(server, 0) == 0) return "--shard=" + process.substr(server.size());
  return "--name=" + process;
}

// The descriptor is ours, the connection is the other process's.
void CutIfConnected(int descriptor) {
  sockaddr_storage peer;
  socklen_t size = sizeof(peer);
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
  if (peer.ss_family == AF_INET || peer.ss_family == AF_INET6) shutdown(descriptor, SHUT_RDWR);
}

absl::Status CutConnections(pid_t process) {
  const FileDescriptor handle(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
  if (!handle.open()) return absl::UnavailableError("the process is gone");
  std::error_code ignored;
  for (const auto& entry :
       fs::directory_iterator(absl::StrCat("/proc/", process, "/fd"), ignored)) {
    int number = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &number)) continue;
    if (fs::read_symlink(entry.path(), ignored).string().rfind("socket:", 0) != 0) continue;
    const FileDescriptor copy(static_cast<int>(syscall(SYS_pidfd_getfd, handle.get(), number, 0)));
    if (!copy.open() && errno == EPERM) {
      return absl::PermissionDeniedError("connections of other processes cannot be cut here");
    }
    if (copy.open()) CutIfConnected(copy.get());
  }
  return absl::OkStatus();
}

void LimitFiles(pid_t process, bool full) {
  rlimit limit;
  if (prlimit(process, RLIMIT_FSIZE, nullptr, &limit) != 0) return;
  limit.rlim_cur = full ? 0 : limit.rlim_max;
  prlimit(process, RLIMIT_FSIZE, &limit, nullptr);
}

void FlipByte(const fs::path& path, uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 0x10));
}

}  // namespace

Injector::~Injector() { Heal(absl::InfiniteFuture()); }

absl::Status Injector::Strike(const Fault& fault, absl::Time now) {
  const pid_t process = FindChild(train_, WordOf(fault.process));
  if (process == 0) return absl::UnavailableError(fault.process + " does not run");
  switch (fault.kind) {
    case FaultKind::kKill: kill(process, SIGKILL); break;
    case FaultKind::kStop:
      kill(process, SIGSTOP);
      passing_.push_back({now + fault.time, fault.kind, process});
      break;
    case FaultKind::kFreeze: {
      const pid_t thread =
          FindThread(process, fault.process == "evaluator" ? "evaluation" : "lane-0");
      // One thread stops, as a tracer can make it; the others do not notice.
      if (thread == 0 || ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
        return absl::UnavailableError(fault.process + " computes nothing yet");
      }
      ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
      passing_.push_back({now + fault.time, fault.kind, thread});
      break;
    }
    case FaultKind::kCut: return CutConnections(process);
    case FaultKind::kCorrupt: return Corrupt(fault.process, process);
    case FaultKind::kDiskFull:
      LimitFiles(process, true);
      passing_.push_back({now + fault.time, fault.kind, process});
      break;
  }
  return absl::OkStatus();
}

absl::Status Injector::Corrupt(const std::string& server, pid_t process) {
  std::vector<fs::path> files;  // of the server's newest checkpoint
  const std::string shard = absl::StrCat("shard-", server.substr(server.rfind('-') + 1), "-of-");
  std::vector<fs::path> versions;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(checkpoints_, ignored)) {
    versions.push_back(entry.path());
  }
  std::sort(versions.begin(), versions.end());
  for (const fs::path& version : versions) {
    for (const auto& entry : fs::directory_iterator(version, ignored)) {
      if (entry.path().filename().string().rfind(shard, 0) != 0) continue;
      if (!fs::exists(entry.path() / "manifest.json", ignored)) continue;
      files = {entry.path() / "weights.safetensors", entry.path() / "optimizer.safetensors",
               entry.path() / "manifest.json"};
    }
  }
  if (files.empty()) return absl::UnavailableError(server + " has no checkpoint");
  Random random(seed_++, Purpose::kAttackStart);
  const fs::path file = files[random.Below(files.size())];
  const uint64_t size = fs::file_size(file, ignored);
  if (size > 0) FlipByte(file, random.Below(size));
  kill(process, SIGKILL);
  return absl::OkStatus();
}

void Injector::Heal(absl::Time now) {
  for (const Passing& passing : passing_) {
    // A thread that is traced is not gone before its tracer has heard of its end.
    if (passing.kind == FaultKind::kFreeze) waitpid(passing.process, nullptr, __WALL | WNOHANG);
    if (passing.until > now) continue;
    if (passing.kind == FaultKind::kStop) kill(passing.process, SIGCONT);
    if (passing.kind == FaultKind::kFreeze) {
      ptrace(PTRACE_DETACH, passing.process, nullptr, nullptr);
    }
    if (passing.kind == FaultKind::kDiskFull) LimitFiles(passing.process, false);
  }
  passing_.erase(std::remove_if(passing_.begin(), passing_.end(),
                                [now](const Passing& passing) { return passing.until <= now; }),
                 passing_.end());
}

}  // namespace conadv
