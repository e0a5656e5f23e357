// SPDX-License-Identifier: Apache-2.0
#include "cli/pull/output_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/os/file_descriptor.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class OutputFileTest : public ::testing::Test {
 protected:
  absl::Status Write(const std::string& path, const std::string& bytes,
                     absl::Duration timeout = absl::Seconds(20)) {
    const absl::StatusOr<OutputFile> output = OutputFile::At(path);
    if (!output.ok()) return output.status();
    return output->Write(bytes, FileSystem::Real(), timeout, notes_);
  }

  static bool IsDevice(const std::string& path) {
    struct stat stat {};
    return ::lstat(path.c_str(), &stat) == 0 && S_ISCHR(stat.st_mode);
  }

  const TempDir directory_;
  std::ostringstream notes_;
};

TEST_F(OutputFileTest, ADeviceIsWrittenToAndStaysADevice) {
  const absl::Status full = Write("/dev/full", "weights");
  EXPECT_THAT(std::string(full.message()), AllOf(HasSubstr("/dev/full"), HasSubstr("space")));
  EXPECT_TRUE(IsDevice("/dev/full"));
  EXPECT_TRUE(Write("/dev/null", "weights").ok());
  EXPECT_TRUE(IsDevice("/dev/null"));
}

TEST_F(OutputFileTest, APipeGetsEveryByteOnceItIsRead) {
  const std::string path = directory_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const std::string bytes(300'000, 'x');  // more than a pipe holds
  std::string read;
  std::thread reader([&] { read = ReadFile(path); });
  const absl::Status status = Write(path, bytes);
  reader.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(read == bytes);
}

TEST_F(OutputFileTest, APipeThatNobodyReadsIsGivenUp) {
  const std::string path = directory_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const absl::Status status = Write(path, "weights", absl::Milliseconds(1));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_THAT(notes_.str(), HasSubstr("waiting for somebody to read"));
}

TEST_F(OutputFileTest, AReaderThatTakesNothingMoreIsGivenUp) {
  const std::string named = directory_ / "pipe";
  ASSERT_EQ(::mkfifo(named.c_str(), 0600), 0);
  const FileDescriptor reader(::open(named.c_str(), O_RDONLY | O_NONBLOCK));
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const FileDescriptor out(ends[0]), in(ends[1]);
  const std::string bytes(300'000, 'x');  // more than a pipe holds
  for (const std::string& path : {named, absl::StrCat("/dev/fd/", in.get())}) {
    const absl::Status status = Write(path, bytes, absl::Milliseconds(50));
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << path;
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(path), HasSubstr("takes nothing")));
  }
}

TEST_F(OutputFileTest, WhatIsOpenAlreadyIsWrittenWhereItStands) {
  WriteFile(directory_ / "f", "before ");
  const FileDescriptor file(::open((directory_ / "f").c_str(), O_WRONLY | O_APPEND));
  ASSERT_TRUE(file.open());
  ASSERT_EQ(::symlink(absl::StrCat("/dev/fd/", file.get()).c_str(), (directory_ / "l").c_str()), 0);
  for (const std::string& path : {absl::StrCat("/dev/fd/", file.get()),
                                  absl::StrCat("/proc/self/fd/", file.get()), directory_ / "l"}) {
    EXPECT_TRUE(Write(path, "and ").ok()) << path;
  }
  EXPECT_EQ(ReadFile(directory_ / "f"), "before and and and ");
}

TEST_F(OutputFileTest, AReaderThatLeavesIsAnError) {
  const auto former = ::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  const FileDescriptor writing(ends[1]);
  EXPECT_FALSE(Write(absl::StrCat("/dev/fd/", ends[1]), "weights").ok());
  ::signal(SIGPIPE, former);
}

TEST_F(OutputFileTest, WhatIsClosedIsAnError) { EXPECT_FALSE(OutputFile::At("/dev/fd/9999").ok()); }

TEST_F(OutputFileTest, ADirectoryAndAMissingOneAreRefusedBeforeTheWork) {
  EXPECT_THAT(std::string(OutputFile::At(directory_.path()).status().message()),
              AllOf(HasSubstr(directory_.path() + " is a directory"), HasSubstr("name a file")));
  EXPECT_THAT(std::string(OutputFile::At(directory_ / "none/f").status().message()),
              HasSubstr("there is no directory " + (directory_ / "none")));
  EXPECT_FALSE(OutputFile::At(directory_ / "new/").ok());
}

TEST_F(OutputFileTest, AFileIsReplacedAndALinkToItStays) {
  WriteFile(directory_ / "f", "before");
  ASSERT_EQ(::symlink("f", (directory_ / "link").c_str()), 0);
  EXPECT_TRUE(Write(directory_ / "link", "after").ok());
  EXPECT_EQ(ReadFile(directory_ / "f"), "after");
  EXPECT_TRUE(Write(directory_ / "new", "new").ok());
  EXPECT_EQ(ReadFile(directory_ / "new"), "new");
}

}  // namespace
}  // namespace conadv
