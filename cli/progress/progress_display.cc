// SPDX-License-Identifier: Apache-2.0
#include "cli/progress/progress_display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

constexpr absl::Duration kRedraw = absl::Milliseconds(100);
constexpr absl::Duration kNewLine = absl::Seconds(5);
// Back to the line's beginning, and what is on it away.
constexpr char kClear[] = "\r\033[K";

}  // namespace

ProgressDisplay::ProgressDisplay(std::ostream* out, std::function<size_t()> width)
    : out_(out), width_(std::move(width)) {}

ProgressDisplay::~ProgressDisplay() {
  if (width_ && !drawn_.empty()) *out_ << "\n" << std::flush;
}

void ProgressDisplay::Show(const ProgressState& state, absl::Time now) {
  if (now >= next_) Draw(state, now);
}

void ProgressDisplay::ShowLast(const ProgressState& state, absl::Time now) { Draw(state, now); }

void ProgressDisplay::Draw(const ProgressState& state, absl::Time now) {
  DrawText(width_ ? ProgressBar(state, now, width_()) : ProgressLine(state, now), now);
}

void ProgressDisplay::ShowText(const std::function<std::string(size_t width)>& text,
                               absl::Time now) {
  constexpr size_t kNoTerminal = 200;
  if (now >= next_) DrawText(text(width_ ? width_() : kNoTerminal), now);
}

void ProgressDisplay::DrawText(std::string text, absl::Time now) {
  next_ = now + (width_ ? kRedraw : kNewLine);
  if (text == drawn_) return;
  *out_ << (width_ ? absl::StrCat(kClear, text) : absl::StrCat(text, "\n")) << std::flush;
  drawn_ = std::move(text);
}

void ProgressDisplay::Note(absl::string_view line) {
  if (width_) {
    *out_ << absl::StrCat(kClear, line, "\n", drawn_) << std::flush;
  } else {
    *out_ << absl::StrCat(line, "\n") << std::flush;
  }
}

absl::Time ProgressDisplay::next() const { return next_; }

std::function<size_t()> TerminalWidth() {
  if (isatty(STDERR_FILENO) == 0) return nullptr;
  return []() -> size_t {
    winsize size{};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    // The last column stays free: some terminals wrap when it is written.
    return known ? size.ws_col - 1 : 79;
  };
}

}  // namespace conadv
