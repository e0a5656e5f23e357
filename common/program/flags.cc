// SPDX-License-Identifier: Apache-2.0
#include "common/program/flags.h"

#include <cstdint>
#include <cstdio>
#include <map>
#include <utility>
#include <vector>

#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/base/nearest.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/program/exit_code.h"
#include "common/program/version.h"

namespace conadv {
namespace {

// This program's flags, without those that Abseil's libraries bring.
std::map<std::string, absl::CommandLineFlag*> OwnFlags() {
  std::map<std::string, absl::CommandLineFlag*> flags;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (!absl::StrContains(flag->Filename(), "absl/")) flags.emplace(name, flag);
  }
  return flags;
}

// What a value has to be.
absl::string_view KindOf(const absl::CommandLineFlag& flag) {
  if (flag.IsOfType<bool>()) return "true or false";
  if (flag.IsOfType<double>()) return "a number";
  if (flag.IsOfType<int>() || flag.IsOfType<int64_t>()) return "a whole number";
  if (flag.IsOfType<absl::Duration>()) return "a duration, as in 500ms, 30s or 2m";
  return "something else";
}

absl::Status UnknownFlag(const std::map<std::string, absl::CommandLineFlag*>& flags,
                         absl::string_view name) {
  std::vector<std::string> names = {"help", "version"};
  for (const auto& [known, flag] : flags) names.push_back(known);
  const std::string nearest = Nearest(name, names);
  return absl::InvalidArgumentError(
      absl::StrCat("unknown flag --", Printable(name),
                   nearest.empty() ? "" : absl::StrCat("; did you mean --", nearest, "?"),
                   nearest.empty() ? "; --help" : " --help", " lists the flags"));
}

}  // namespace

absl::Status SetFlags(absl::Span<const std::string> arguments) {
  const std::map<std::string, absl::CommandLineFlag*> flags = OwnFlags();
  for (size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view rest = arguments[i];
    if (!absl::ConsumePrefix(&rest, "--") || rest.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "unexpected argument \"", Printable(arguments[i]), "\"; flags begin with --"));
    }
    const size_t equals = rest.find('=');
    const absl::string_view name = rest.substr(0, equals);
    auto found = flags.find(std::string(name));
    std::string value;
    if (found == flags.end() && equals == rest.npos && absl::StartsWith(name, "no")) {
      found = flags.find(std::string(name.substr(2)));
      if (found != flags.end() && !found->second->IsOfType<bool>()) found = flags.end();
      value = "false";
    }
    if (found == flags.end()) return UnknownFlag(flags, name);
    absl::CommandLineFlag& flag = *found->second;
    if (equals != rest.npos) {
      value = std::string(rest.substr(equals + 1));
    } else if (flag.IsOfType<bool>()) {
      if (value.empty()) value = "true";
    } else if (i + 1 < arguments.size() && !absl::StartsWith(arguments[i + 1], "--")) {
      value = arguments[++i];
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name, " needs a value: --", name, "=VALUE"));
    }
    std::string ignored;
    if (!flag.ParseFrom(value, &ignored)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name, " must be ", KindOf(flag), ", got \"", Printable(value), "\""));
    }
  }
  return absl::OkStatus();
}

std::string FlagsHelp() {
  std::string text;
  for (const auto& [name, flag] : OwnFlags()) {
    absl::StrAppend(&text, "  --", name, "\n      ", flag->Help());
    if (const std::string value = flag->DefaultValue(); !value.empty()) {
      absl::StrAppend(&text, " (default: ", value, ")");
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

std::optional<int> ReadCommandLine(absl::string_view program, absl::string_view summary, int argc,
                                   char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto print = [](const std::string& text) {
    return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0 ? 0 : 1;
  };
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h") {
      return print(
          absl::StrCat(program, ": ", summary, "\n\nusage: ", program, " [flags]\n", FlagsHelp()));
    }
    if (argument == "--version") return print(absl::StrCat(program, " ", ProjectVersion(), "\n"));
  }
  const absl::Status status = SetFlags(arguments);
  if (status.ok()) return std::nullopt;
  std::fprintf(stderr, "%s: %s\n", std::string(program).c_str(),
               std::string(status.message()).c_str());
  return kExitNever;
}

}  // namespace conadv
