// SPDX-License-Identifier: Apache-2.0
#include "common/os/limits.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/thread/mutex.h"

namespace conadv {
namespace {

constexpr int kExit = 1;
const char* name_of_program = "conadv";

// Without allocation: there may be nothing left. " (ulimit -v: 1024 KiB)", or nothing without a
// limit.
class LimitText {
 public:
  LimitText(const char* flag, int resource, uint64_t unit, const char* unit_name) {
    struct rlimit limit {};
    if (getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return;
    if (limit.rlim_cur == RLIM_INFINITY) return;
    std::snprintf(text_, sizeof(text_), " (ulimit %s: %llu%s)", flag,
                  static_cast<unsigned long long>(limit.rlim_cur / unit), unit_name);
  }
  const char* get() const { return text_; }

 private:
  char text_[64] = "";
};

void Say(const char* what, const char* limit, const char* advice) {
  char line[512];
  const int size =
      std::snprintf(line, sizeof(line), "%s: %s%s; %s\n", name_of_program, what, limit, advice);
  if (size > 0 && write(STDERR_FILENO, line, static_cast<size_t>(size)) < 0) return;
}

[[noreturn]] void OnNoMemory() {
  const LimitText limit("-v", RLIMIT_AS, 1024, " KiB");
  Say("out of memory", limit.get(), "give it more, or use a smaller model, batch or server.retain");
  _exit(kExit);
}

std::string NoThreads(const char* what) {
  const LimitText processes("-u", RLIMIT_NPROC, 1, "");
  const LimitText memory("-v", RLIMIT_AS, 1024, " KiB");
  return absl::StrCat("cannot start ", what, ": the system refuses more", processes.get(),
                      memory.get());
}

[[noreturn]] void OnUncaught() {
  const std::exception_ptr error = std::current_exception();
  if (error == nullptr) std::abort();
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    OnNoMemory();
  } catch (const std::system_error& refused) {
    if (refused.code() == std::errc::resource_unavailable_try_again) {
      Say(NoThreads("a thread").c_str(), "", "raise that limit, or use fewer threads");
      _exit(kExit);
    }
    Say(refused.what(), "", "this is a bug of conadv");
  } catch (const std::exception& other) {
    Say(other.what(), "", "this is a bug of conadv");
  } catch (...) {
    Say("an unknown exception", "", "this is a bug of conadv");
  }
  std::abort();
}

}  // namespace

void ExplainLimits(const char* program) {
  name_of_program = program;
  std::set_new_handler(OnNoMemory);
  std::set_terminate(OnUncaught);
  signal(SIGXFSZ, SIG_IGN);
}

uint64_t TakeAllDescriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlimit raised = limit;
  raised.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

absl::Status CheckThreads(int count) {
  Mutex mutex;
  CondVar changed;
  bool over = false;
  std::vector<std::thread> threads;
  absl::Status status;
  try {
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&] {
        MutexLock lock(&mutex);
        while (!over) changed.Wait(&mutex);
      });
    }
  } catch (const std::system_error&) {
    status = absl::ResourceExhaustedError(
        absl::StrCat(NoThreads(absl::StrCat(count, " threads").c_str()),
                     "; raise that limit, or use fewer threads"));
  }
  {
    MutexLock lock(&mutex);
    over = true;
  }
  changed.NotifyAll();
  for (std::thread& thread : threads) thread.join();
  return status;
}

}  // namespace conadv
