// SPDX-License-Identifier: Apache-2.0
// A disk beyond a network answers as no local one does, and what was promised of files holds.
#include <cerrno>
#include <filesystem>
#include <string>

#include "common/os/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/os/disk_calls.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NetworkDiskTest : public ::testing::Test {
 protected:
  ~NetworkDiskTest() override { SetDiskFaults({}); }

  std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }
  std::string ReadNow(const std::string& name) const {
    return files_.Read(Path(name)).value_or("");
  }

  const FileSystem& files_ = FileSystem::Real();
  const TempDir directory_;
};

TEST_F(NetworkDiskTest, ADiskThatCannotSyncKeepsFilesAllTheSame) {
  for (const int error : {EINVAL, EOPNOTSUPP, ENOSYS}) {
    DiskFaults faults;
    faults.fsync_error = error;
    SetDiskFaults(faults);
    EXPECT_TRUE(files_.MakeDirectories(Path("a/b")).ok());
    EXPECT_TRUE(files_.WriteAtomically(Path("a/b/f"), "x").ok());
    EXPECT_TRUE(files_.Rename(Path("a/b"), Path("a/c")).ok());
    EXPECT_EQ(ReadNow("a/c/f"), "x");
    EXPECT_TRUE(files_.Remove(Path("a")).ok());
  }
}

TEST_F(NetworkDiskTest, ADiskThatFailsToSyncIsAnError) {
  DiskFaults faults;
  faults.fsync_error = EIO;
  SetDiskFaults(faults);
  EXPECT_THAT(std::string(files_.WriteAtomically(Path("f"), "x").message()),
              HasSubstr("cannot sync"));
  EXPECT_THAT(*files_.List(directory_.path()), ElementsAre());
}

TEST_F(NetworkDiskTest, AFileThatAnotherMachineReplacedIsReadAnew) {
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "x").ok());
  DiskFaults faults;
  faults.stale_reads = 2;
  SetDiskFaults(faults);
  EXPECT_EQ(ReadNow("f"), "x");
  faults.stale_reads = 3;
  SetDiskFaults(faults);
  EXPECT_THAT(std::string(files_.Read(Path("f")).status().message()), HasSubstr("mount it anew"));
}

TEST_F(NetworkDiskTest, ARenameWhoseAnswerWasLostIsDone) {
  DiskFaults faults;
  faults.renames_without_reply = 1;
  faults.no_flags = true;
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "old").ok());
  SetDiskFaults(faults);
  EXPECT_TRUE(files_.WriteAtomically(Path("f"), "new").ok());
  EXPECT_EQ(ReadNow("f"), "new");
  SetDiskFaults(faults);
  EXPECT_TRUE(files_.Rename(Path("f"), Path("g")).ok());
  EXPECT_EQ(ReadNow("g"), "new");
  EXPECT_THAT(*files_.List(directory_.path()), ElementsAre("g"));
  // Nothing was there to be renamed.
  EXPECT_EQ(files_.Rename(Path("f"), Path("h")).code(), absl::StatusCode::kNotFound);
}

TEST_F(NetworkDiskTest, WithoutARenameThatNeverReplacesNothingIsReplaced) {
  DiskFaults faults;
  faults.no_flags = true;
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "x").ok());
  ASSERT_TRUE(files_.WriteAtomically(Path("g"), "y").ok());
  SetDiskFaults(faults);
  EXPECT_EQ(files_.Rename(Path("f"), Path("g")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReadNow("g"), "y");
}

}  // namespace
}  // namespace conadv
