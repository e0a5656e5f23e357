// SPDX-License-Identifier: Apache-2.0
#include "common/os/limits.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <exception>
#include <new>
#include <system_error>

namespace conadv {
namespace {

using ::testing::ExitedWithCode;

TEST(LimitsDeathTest, MemoryThatCannotBeHadEndsTheProcessWithASentence) {
  const auto run_out = [] {
    ExplainLimits("some-program");
    const struct rlimit limit = {uint64_t{1} << 40, RLIM_INFINITY};
    setrlimit(RLIMIT_AS, &limit);
    std::get_new_handler()();
  };
  EXPECT_EXIT(run_out(), ExitedWithCode(1),
              "some-program: out of memory \\(ulimit -v: 1073741824 KiB\\)");
}

TEST(LimitsDeathTest, AThreadThatCannotBeStartedEndsTheProcessWithASentence) {
  const auto refuse = [] {
    ExplainLimits("some-program");
    try {
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    } catch (...) {
      std::terminate();  // as where nobody catches it
    }
  };
  EXPECT_EXIT(refuse(), ExitedWithCode(1), "some-program: cannot start a thread");
}

TEST(LimitsDeathTest, AFileThatMayNotGrowIsNoSignal) {
  const auto write_past = [] {
    ExplainLimits("some-program");
    raise(SIGXFSZ);
    _exit(0);
  };
  EXPECT_EXIT(write_past(), ExitedWithCode(0), "");
}

TEST(LimitsDeathTest, TheSoftLimitOfDescriptorsIsRaisedToTheHardOne) {
  const auto raise_it = [] {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlimit low = {64, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    const uint64_t now = TakeAllDescriptors();
    getrlimit(RLIMIT_NOFILE, &limit);
    _exit(now == limit.rlim_max && limit.rlim_cur == limit.rlim_max ? 7 : 1);
  };
  EXPECT_EXIT(raise_it(), ExitedWithCode(7), "");
}

TEST(Limits, ThreadsThatCanBeStartedAreNoError) { EXPECT_TRUE(CheckThreads(16).ok()); }

}  // namespace
}  // namespace conadv
