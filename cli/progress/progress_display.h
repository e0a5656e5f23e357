// SPDX-License-Identifier: Apache-2.0
// Shows a run's progress on standard error: one line that is redrawn on a terminal, a line now and
// then elsewhere. One thread.
#ifndef CONADV_CLI_PROGRESS_PROGRESS_DISPLAY_H_
#define CONADV_CLI_PROGRESS_PROGRESS_DISPLAY_H_

#include <functional>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/progress/progress.h"

namespace conadv {

class ProgressDisplay {
 public:
  // `width` gives the terminal's columns; empty if it is none.
  ProgressDisplay(std::ostream* out, std::function<size_t()> width);
  // Leaves a terminal at the beginning of a line.
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  // Not more often than ten times a second on a terminal, every five seconds elsewhere.
  void Show(const ProgressState& state, absl::Time now);
  // Whatever was shown when: the last state is there to stay.
  void ShowLast(const ProgressState& state, absl::Time now);
  // The same as Show, of any text that fits the terminal.
  void ShowText(const std::function<std::string(size_t width)>& text, absl::Time now);
  // A line of its own, above the bar.
  void Note(absl::string_view line);
  // When Show has something to do again.
  absl::Time next() const;

 private:
  void Draw(const ProgressState& state, absl::Time now);
  void DrawText(std::string text, absl::Time now);

  std::ostream* const out_;
  const std::function<size_t()> width_;
  absl::Time next_ = absl::InfinitePast();
  std::string drawn_;  // the bar, or the line printed last
};

// The columns of the terminal at standard error; an empty function if it is none.
std::function<size_t()> TerminalWidth();

}  // namespace conadv

#endif  // CONADV_CLI_PROGRESS_PROGRESS_DISPLAY_H_
