// SPDX-License-Identifier: Apache-2.0
#include "server/shard/machine_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kUnified[] = "31 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
constexpr char kVersion1[] =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

TEST(MachineMemory, EveryGroupThatAProcessLiesInLimitsIt) {
  EXPECT_THAT(MemoryLimitFiles("0::/kubepods/pod1/box\n", kUnified),
              ElementsAre("/sys/fs/cgroup/kubepods/pod1/box/memory.max",
                          "/sys/fs/cgroup/kubepods/pod1/memory.max",
                          "/sys/fs/cgroup/kubepods/memory.max", "/sys/fs/cgroup/memory.max"));
  EXPECT_THAT(MemoryLimitFiles("5:devices:/\n4:memory:/docker/1\n1:cpu:/\n0::/\n", kVersion1),
              ElementsAre("/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes",
                          "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
                          "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                          "/sys/fs/cgroup/unified/memory.max"));
  EXPECT_THAT(MemoryLimitFiles("6:hugetlb,memory:/a\n",
                               "9 8 0:1 / /mem ro - cgroup cgroup rw,hugetlb,memory\n"),
              ElementsAre("/mem/a/memory.limit_in_bytes", "/mem/memory.limit_in_bytes"));
}

TEST(MachineMemory, AContainerSeesItsOwnGroupAtTheMountPoint) {
  const std::string mounted = "9 8 0:1 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n";
  EXPECT_THAT(MemoryLimitFiles("0::/docker/1\n", mounted),
              ElementsAre("/sys/fs/cgroup/memory.max"));
  EXPECT_THAT(MemoryLimitFiles("0::/docker/1/inner\n", mounted),
              ElementsAre("/sys/fs/cgroup/inner/memory.max", "/sys/fs/cgroup/memory.max"));
  EXPECT_THAT(MemoryLimitFiles("0::/docker/12\n", mounted),
              ElementsAre("/sys/fs/cgroup/memory.max"));
  EXPECT_THAT(MemoryLimitFiles("0::/../../other\n", kUnified),
              ElementsAre("/sys/fs/cgroup/memory.max"));
}

TEST(MachineMemory, WhatCannotBeUnderstoodLimitsNothing) {
  EXPECT_THAT(MemoryLimitFiles("", kUnified), IsEmpty());
  EXPECT_THAT(MemoryLimitFiles("0::/a\n", ""), IsEmpty());
  EXPECT_THAT(MemoryLimitFiles("nonsense\n:\n::\n", "a - b\n - \n1 2 3 - cgroup2\n"), IsEmpty());
}

TEST(MachineMemory, MountPointsMayHaveBlanks) {
  EXPECT_THAT(MemoryLimitFiles("0::/\n", "9 8 0:1 / /my\\040groups\\04 rw - cgroup2 none rw\n"),
              ElementsAre("/my groups\\04/memory.max"));
}

TEST(MachineMemory, NoLimitIsSaidInTwoWays) {
  EXPECT_EQ(ParseMemoryLimit("536870912\n"), 536870912U);
  EXPECT_EQ(ParseMemoryLimit("0\n"), 0U);
  EXPECT_EQ(ParseMemoryLimit("max\n"), std::nullopt);
  EXPECT_EQ(ParseMemoryLimit("9223372036854771712\n"), std::nullopt);
  EXPECT_EQ(ParseMemoryLimit(""), std::nullopt);
}

TEST(MachineMemory, TheLeastCountsAndSaysWhoseItIs) {
  const TempDir directory;
  const FileSystem& files = FileSystem::Real();
  const std::string proc = directory / "proc";
  ASSERT_TRUE(files.MakeDirectories(directory / "groups/outer/inner").ok());
  ASSERT_TRUE(files.MakeDirectories(proc).ok());
  WriteFile(proc + "/cgroup", "0::/outer/inner\n");
  WriteFile(proc + "/mountinfo",
            absl::StrCat("9 8 0:1 / ", directory / "groups", " rw - cgroup2 none rw\n"));
  WriteFile(directory / "groups/outer/inner/memory.max", "max\n");
  WriteFile(directory / "groups/outer/memory.max", "1000\n");
  const MachineMemory least = LeastMemory(files, proc, {4000, "this machine has"});
  EXPECT_EQ(least.bytes, 1000U);
  EXPECT_THAT(least.whose, HasSubstr("groups/outer/memory.max"));
  EXPECT_EQ(LeastMemory(files, proc, {900, "this machine has"}).whose, "this machine has");
  EXPECT_EQ(LeastMemory(files, directory / "nowhere", {900, "x"}).bytes, 900U);
}

TEST(MachineMemory, WhatDoesNotFitIsRefusedWithBothFiguresAndWhoseLimitItIs) {
  const MachineMemory machine{uint64_t{1} << 30, "its container's limit (/memory.max) is"};
  EXPECT_TRUE(CheckFits("shard 0", 1 << 30, machine).ok());
  const absl::Status status = CheckFits("shard 0", 1.5 * (1 << 30), machine);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("shard 0 may take 1.5 GiB in all, but its container's limit (/memory.max) "
                        "is 1.0 GiB"));
}

TEST(MachineMemory, ThisProcessHasSome) {
  EXPECT_GT(ReadMachineMemory(FileSystem::Real()).bytes, 0U);
}

}  // namespace
}  // namespace conadv
