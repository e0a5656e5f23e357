// SPDX-License-Identifier: Apache-2.0
#include "cli/process/lines.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace conadv {
namespace {

constexpr size_t kMaxLineBytes = 64 << 10;

}  // namespace

std::vector<std::string> LineSplitter::Add(absl::string_view bytes) {
  std::vector<std::string> lines;
  for (const char c : bytes) {
    if (c == '\n') {
      lines.push_back(std::exchange(rest_, std::string()));
    } else if (rest_.size() < kMaxLineBytes) {
      rest_.push_back(c);
    }
  }
  return lines;
}

std::string LineSplitter::TakeRest() { return std::exchange(rest_, std::string()); }

PipeState ReadAvailable(int fd, std::string* bytes) {
  char buffer[4096];
  while (true) {
    const ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size > 0) {
      bytes->append(buffer, size);
    } else if (size == 0) {
      return PipeState::kClosed;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return PipeState::kOpen;
    } else if (errno != EINTR) {
      return PipeState::kClosed;
    }
  }
}

}  // namespace conadv
