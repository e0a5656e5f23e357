// SPDX-License-Identifier: Apache-2.0
// conadv staleness --watch on a terminal, against a server that waits for workers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/job/default_job.h"
#include "common/os/file_descriptor.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

// A program on a terminal of its own.
class OnTerminal {
 public:
  OnTerminal(const std::string& program, const std::string& server) {
    winsize size{24, 80, 0, 0};
    int terminal = -1;
    const std::string flag = absl::StrCat("--server=", server);
    pid_ = ::forkpty(&terminal, nullptr, nullptr, &size);
    if (pid_ == 0) {
      ::setenv("TERM", "xterm", 1);
      ::execl(program.c_str(), "conadv", "staleness", "--watch", "--interval=0.05", flag.c_str(),
              nullptr);
      ::_exit(127);
    }
    terminal_ = FileDescriptor(terminal);
  }
  ~OnTerminal() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  // Reads until the text comes, or the program ends.
  bool ReadUntil(const std::string& text) {
    const size_t from = read_;
    for (pollfd there{terminal_.get(), POLLIN, 0}; !absl::StrContains(Since(from), text);) {
      char bytes[4096];
      if (::poll(&there, 1, static_cast<int>(absl::ToInt64Milliseconds(kPatience))) <= 0)
        return false;
      const ssize_t size = ::read(terminal_.get(), bytes, sizeof(bytes));
      if (size <= 0) return false;
      output_.append(bytes, static_cast<size_t>(size));
    }
    read_ = output_.size();
    return true;
  }
  void Resize(unsigned short rows, unsigned short columns) {
    winsize size{rows, columns, 0, 0};
    ::ioctl(terminal_.get(), TIOCSWINSZ, &size);
  }
  void Press(char key) { ASSERT_EQ(::write(terminal_.get(), &key, 1), 1); }
  // Its exit code, once all it wrote is read.
  int End() {
    ReadUntil("nothing that it writes");
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  const std::string& output() const { return output_; }

 private:
  absl::string_view Since(size_t from) const { return absl::string_view(output_).substr(from); }

  pid_t pid_ = -1;
  FileDescriptor terminal_;
  std::string output_;
  size_t read_ = 0;
};

TEST(StalenessScreen, IsDrawnInPlaceFollowsTheTerminalsSizeAndLeavesItAsItWas) {
  const std::string programs = CONADV_BIN_DIR;
  const TempDir directory;
  WriteFile(directory / "job", DefaultJobText());
  Process server(
      {programs + "/conadv-server", "--job=" + (directory / "job"), "--listen=127.0.0.1:0"});
  const absl::StatusOr<std::string> address = server.ReadAfter("listening on ", kPatience);
  ASSERT_TRUE(address.ok()) << address.status();
  OnTerminal watch(programs + "/conadv", *address);
  ASSERT_TRUE(watch.ReadUntil("version 0")) << watch.output();
  EXPECT_TRUE(absl::StartsWith(watch.output(), "\033[?1049h")) << "a screen of its own";

  watch.Resize(6, 20);
  ASSERT_TRUE(watch.ReadUntil("\033[J"));  // the rest of one that had begun before
  ASSERT_TRUE(watch.ReadUntil("\033[J"));
  ASSERT_TRUE(watch.ReadUntil("\033[J"));
  const std::string& output = watch.output();
  const std::string screen = output.substr(output.rfind("\033[H"));
  for (const absl::string_view line : absl::StrSplit(screen, "\r\n")) {
    EXPECT_LE(line.size(), 20U + 12) << line << ": with its control sequences";
  }

  server.Kill();
  ASSERT_TRUE(watch.ReadUntil("waiting for serv")) << watch.output();
  watch.Press('x');
  watch.Press('q');
  EXPECT_EQ(watch.End(), 0);
  EXPECT_TRUE(absl::EndsWith(watch.output(), "\033[?25h\033[?1049l")) << watch.output();
}

}  // namespace
}  // namespace conadv
