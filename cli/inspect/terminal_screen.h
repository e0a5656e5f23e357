// SPDX-License-Identifier: Apache-2.0
// The terminal at standard output and input, taken over for a while: a screen of its own, without a
// cursor, and keys that are not shown. What stood there before is there again when it is gone. One
// at a time, one thread.
#ifndef CONADV_CLI_INSPECT_TERMINAL_SCREEN_H_
#define CONADV_CLI_INSPECT_TERMINAL_SCREEN_H_

#include <termios.h>

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace conadv {

class TerminalScreen {
 public:
  // Whether standard output is a terminal that can be drawn on.
  static bool Usable();

  // `out` writes to standard output. REQUIRES: Usable().
  explicit TerminalScreen(std::ostream* out);
  ~TerminalScreen();
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  struct Size {
    size_t columns = 80;
    size_t rows = 24;
    bool operator!=(const Size& other) const {
      return columns != other.columns || rows != other.rows;
    }
  };
  Size size() const;
  // In place of what is there. REQUIRES: they fit.
  void Draw(const std::vector<std::string>& lines);
  // Whether q was pressed since the last call; other keys are dropped.
  bool TakeQuit();

 private:
  std::ostream* const out_;
  std::optional<termios> former_;  // of standard input, if it is a terminal
};

}  // namespace conadv

#endif  // CONADV_CLI_INSPECT_TERMINAL_SCREEN_H_
