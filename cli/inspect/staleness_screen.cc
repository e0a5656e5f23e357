// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect/staleness_screen.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "cli/inspect/staleness_view.h"
#include "cli/inspect/terminal_screen.h"
#include "common/base/clock.h"
#include "conadv/v1/inspector.grpc.pb.h"

namespace conadv {
namespace {

// Between two looks at the keys and at the terminal's size.
constexpr absl::Duration kKeys = absl::Milliseconds(50);

class StalenessScreen {
 public:
  StalenessScreen(Supervisor* interrupts, std::ostream* out)
      : interrupts_(interrupts), out_(out), screen_(out) {}

  bool Show(const v1::StalenessResponse& answer) {
    notes_.str("");
    view_.Add(answer, Clock::Real().Now());
    Draw();
    return out_->good();
  }

  // Lets that much time pass; false: somebody has seen enough.
  bool Pause(absl::Duration time) {
    const absl::Time until = Clock::Real().Now() + time;
    while (true) {
      const absl::Time now = Clock::Real().Now();
      const ProcessEvent event = interrupts_->Next(std::min(now + kKeys, until));
      if (event.kind == ProcessEvent::Kind::kInterrupted || screen_.TakeQuit()) return false;
      if (screen_.size() != drawn_ || notes_.str() != drawn_notes_) Draw();
      if (Clock::Real().Now() >= until) return out_->good();
    }
  }

  std::ostream* notes() { return &notes_; }

 private:
  void Draw() {
    drawn_ = screen_.size();
    drawn_notes_ = notes_.str();
    const std::vector<std::string> notes =
        absl::StrSplit(absl::StripSuffix(drawn_notes_, "\n"), '\n');
    // The last column stays free: some terminals erase it with the rest of the line.
    screen_.Draw(
        view_.Lines(drawn_.columns - 1, drawn_.rows, Clock::Real().WallNow(), notes.back()));
  }

  Supervisor* const interrupts_;
  std::ostream* const out_;
  TerminalScreen screen_;
  StalenessView view_;
  std::ostringstream notes_;  // for whom we wait
  TerminalScreen::Size drawn_;
  std::string drawn_notes_;
};

}  // namespace

absl::Status WatchStalenessOnScreen(LookOptions options, Supervisor* interrupts,
                                    std::ostream* out) {
  std::string ended;
  options.ended = [&ended](absl::string_view message) { ended = std::string(message); };
  absl::Status status;
  {
    StalenessScreen screen(interrupts, out);
    options.wait.notes = screen.notes();
    options.wait.pause = [&screen](absl::Duration time) { return screen.Pause(time); };
    status = Look<v1::StalenessRequest, v1::StalenessResponse>(
        options, &v1::Inspector::Stub::Staleness,
        [&screen](const v1::StalenessResponse& answer) { return screen.Show(answer); });
  }
  // On the screen that stays.
  if (!ended.empty()) *out << ended << "\n" << std::flush;
  return status;
}

}  // namespace conadv
