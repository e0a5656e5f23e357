// SPDX-License-Identifier: Apache-2.0
#include "cli/complete/completion.h"

#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/program/exit_code.h"

namespace conadv {
namespace {

bool TakesValue(const Flag& flag) { return flag.kind != FlagKind::kSwitch; }

// As one word of a shell.
std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// Within zsh's [description]: its own marks are escaped.
std::string ZshText(const std::string& text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
}

absl::Status Print(const FlagValues& flags, const std::vector<Command>& commands,
                   std::ostream& out) {
  const std::string shell = flags.Text("shell");
  if (shell == "bash") {
    out << BashCompletion(commands);
  } else if (shell == "zsh") {
    out << ZshCompletion(commands);
  } else if (shell == "fish") {
    out << FishCompletion(commands);
  } else {
    return UsageError(absl::StrCat("SHELL must be bash, zsh or fish, got ", shell));
  }
  return absl::OkStatus();
}

}  // namespace

std::string BashCompletion(absl::Span<const Command> commands) {
  std::string names = "help";
  std::string cases;
  for (const Command& command : commands) {
    absl::StrAppend(&names, " ", command.name);
    std::string flags = "--help";
    for (const Flag& flag : command.flags) {
      if (flag.kind == FlagKind::kArgument) continue;
      absl::StrAppend(&flags, " --", flag.name, TakesValue(flag) ? "=" : "");
    }
    absl::StrAppend(&cases, "    ", command.name, ") words=", Quoted(flags), " ;;\n");
  }
  return absl::StrCat(
      "# conadv completion bash\n"
      "_conadv() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" words=\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W ",
      Quoted(names),
      " -- \"$word\"))\n"
      "    [ \"${#COMPREPLY[@]}\" -ne 1 ] || COMPREPLY=(\"${COMPREPLY[0]} \")\n"
      "    return\n"
      "  fi\n"
      "  case \"$word\" in -*) ;; *) return ;; esac\n"
      "  case \"${COMP_WORDS[1]}\" in\n",
      cases,
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "  case \"${#COMPREPLY[@]}${COMPREPLY[0]}\" in 1*=) ;; 1*) COMPREPLY=(\"${COMPREPLY[0]} \") "
      ";; "
      "esac\n"
      "}\n"
      "complete -o default -o nospace -F _conadv conadv\n");
}

std::string ZshCompletion(absl::Span<const Command> commands) {
  std::string names;
  std::string cases;
  for (const Command& command : commands) {
    absl::StrAppend(&names, "      ", Quoted(absl::StrCat(command.name, ":", command.summary)),
                    "\n");
    absl::StrAppend(&cases, "    ", command.name, ")\n      _arguments");
    for (const Flag& flag : command.flags) {
      const std::string text = ZshText(flag.help);
      if (flag.kind == FlagKind::kArgument) {
        absl::StrAppend(&cases, " ", Quoted(absl::StrCat(":", text, ":")));
        continue;
      }
      absl::StrAppend(
          &cases, " ",
          Quoted(absl::StrCat(
              flag.kind == FlagKind::kRepeated ? "*" : "", "--", flag.name,
              TakesValue(flag) ? "=" : "", "[", text, "]",
              TakesValue(flag) ? absl::StrCat(":", ZshText(flag.value_name), ":_files") : "")));
    }
    absl::StrAppend(&cases, " '--help[says more]'\n      ;;\n");
  }
  return absl::StrCat(
      "#compdef conadv\n"
      "_conadv() {\n"
      "  if (( CURRENT == 2 )); then\n"
      "    local -a commands=(\n",
      names,
      "    )\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  local command=${words[2]}\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $command in\n",
      cases,
      "  esac\n"
      "}\n"
      "compdef _conadv conadv\n");
}

std::string FishCompletion(absl::Span<const Command> commands) {
  std::string text = "# conadv completion fish\n";
  for (const Command& command : commands) {
    absl::StrAppend(&text, "complete -c conadv -n __fish_use_subcommand -f -a ", command.name,
                    " -d ", Quoted(command.summary), "\n");
    for (const Flag& flag : command.flags) {
      if (flag.kind == FlagKind::kArgument) continue;
      absl::StrAppend(&text, "complete -c conadv -n '__fish_seen_subcommand_from ", command.name,
                      "' -l ", flag.name, TakesValue(flag) ? " -r" : "", " -d ", Quoted(flag.help),
                      "\n");
    }
  }
  return text;
}

Command CompletionCommand(std::function<std::vector<Command>()> commands) {
  return {"completion",
          "have a shell complete command lines",
          "Prints what the shell reads: in ~/.bashrc, source <(conadv completion bash); for zsh a "
          "file\n"
          "_conadv in a directory of $fpath; for fish ~/.config/fish/completions/conadv.fish.\n",
          "source <(conadv completion bash)",
          {{"shell", FlagKind::kArgument, "SHELL", "", "bash, zsh or fish"}},
          [commands = std::move(commands)](const FlagValues& flags, std::ostream& out) {
            return Print(flags, commands(), out);
          }};
}

}  // namespace conadv
