// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect/terminal_screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace conadv {
namespace {

// Of xterm's control sequences, which what calls itself a terminal today has.
constexpr absl::string_view kEnter = "\033[?1049h\033[?25l";
constexpr absl::string_view kLeave = "\033[?25h\033[?1049l";
constexpr absl::string_view kHome = "\033[H";
constexpr absl::string_view kRestOfLineAway = "\033[K";
constexpr absl::string_view kRestOfScreenAway = "\033[J";

}  // namespace

bool TerminalScreen::Usable() {
  const char* const type = std::getenv("TERM");
  // In the background the terminal is somebody else's.
  return isatty(STDOUT_FILENO) != 0 && tcgetpgrp(STDOUT_FILENO) == getpgrp() && type != nullptr &&
         *type != '\0' && absl::string_view(type) != "dumb";
}

TerminalScreen::TerminalScreen(std::ostream* out) : out_(out) {
  termios input{};
  // A process in the background is stopped if it changes the terminal.
  if (tcgetattr(STDIN_FILENO, &input) == 0 && tcgetpgrp(STDIN_FILENO) == getpgrp()) {
    former_ = input;
    input.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    // Whoever is stopped or killed by a key would leave the terminal as it is now; Ctrl-C ends us.
    input.c_cc[VSUSP] = input.c_cc[VQUIT] = _POSIX_VDISABLE;
    tcsetattr(STDIN_FILENO, TCSANOW, &input);
  }
  *out_ << kEnter << std::flush;
}

TerminalScreen::~TerminalScreen() {
  if (former_.has_value()) tcsetattr(STDIN_FILENO, TCSANOW, &*former_);
  *out_ << kLeave << std::flush;
}

TerminalScreen::Size TerminalScreen::size() const {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {size.ws_col, size.ws_row};
}

void TerminalScreen::Draw(const std::vector<std::string>& lines) {
  // At once, so that no half of it is seen. No line break after the last line: it would scroll.
  std::string text(kHome);
  for (size_t i = 0; i < lines.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : "\r\n", lines[i], kRestOfLineAway);
  }
  *out_ << text << kRestOfScreenAway << std::flush;
}

bool TerminalScreen::TakeQuit() {
  bool quit = false;
  while (former_.has_value()) {
    pollfd keys{STDIN_FILENO, POLLIN, 0};
    char pressed[64];
    if (poll(&keys, 1, 0) <= 0) break;
    const ssize_t size = read(STDIN_FILENO, pressed, sizeof(pressed));
    if (size <= 0) break;
    quit =
        quit || std::any_of(pressed, pressed + size, [](char c) { return c == 'q' || c == 'Q'; });
  }
  return quit;
}

}  // namespace conadv
