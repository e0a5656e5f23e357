// SPDX-License-Identifier: Apache-2.0
#include "cli/command/flags.h"

#include <glog/logging.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/base/nearest.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

const Flag* FindFlag(absl::Span<const Flag> flags, absl::string_view name) {
  const auto found = std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) {
    return flag.name == name && flag.kind != FlagKind::kArgument;
  });
  return found == flags.end() ? nullptr : &*found;
}

bool ParseCount(absl::string_view text, uint64_t* value) {
  return absl::SimpleAtoi(text, value) && *value <= std::numeric_limits<int64_t>::max();
}

absl::Status CheckValue(const Flag& flag, absl::string_view value) {
  uint64_t count = 0;
  double seconds = 0;
  bool on = false;
  absl::string_view wanted;
  switch (flag.kind) {
    case FlagKind::kText:
    case FlagKind::kArgument:
    case FlagKind::kRepeated:
      if (value.empty()) wanted = "a value";
      break;
    case FlagKind::kCount:
      if (!ParseCount(value, &count)) wanted = "a whole number";
      break;
    case FlagKind::kPositive:
      if (!ParseCount(value, &count) || count == 0) wanted = "a whole number, at least 1";
      break;
    case FlagKind::kSeconds:
      if (!absl::SimpleAtod(value, &seconds) || !std::isfinite(seconds) || seconds <= 0) {
        wanted = "a number of seconds above 0";
      }
      break;
    case FlagKind::kSwitch:
      if (!absl::SimpleAtob(value, &on)) wanted = "true or false";
      break;
  }
  if (wanted.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag.name, " must be ", wanted, ", got \"", value, "\""));
}

absl::Status UnknownFlag(absl::Span<const Flag> flags, absl::string_view name) {
  std::vector<std::string> names = {"help"};
  for (const Flag& flag : flags) names.push_back(flag.name);
  const std::string nearest = Nearest(name, names);
  return absl::InvalidArgumentError(
      nearest.empty() ? absl::StrCat("unknown flag --", name, "; --help lists the flags")
                      : absl::StrCat("unknown flag --", name, "; did you mean --", nearest, "?"));
}

}  // namespace

absl::StatusOr<FlagValues> ParseFlags(absl::Span<const Flag> flags,
                                      absl::Span<const std::string> arguments) {
  FlagValues values;
  for (const Flag& flag : flags) values.defaults_[flag.name] = flag.default_value;

  for (size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view rest = arguments[i];
    if (!absl::ConsumePrefix(&rest, "--") || rest.empty()) {
      const auto next = std::find_if(flags.begin(), flags.end(), [&](const Flag& one) {
        return one.kind == FlagKind::kArgument && values.given_.count(one.name) == 0;
      });
      if (next == flags.end() || absl::StartsWith(arguments[i], "-")) {
        return absl::InvalidArgumentError(
            absl::StrCat("unexpected argument \"", arguments[i], "\"; flags begin with --"));
      }
      CONADV_RETURN_IF_ERROR(CheckValue(*next, arguments[i]));
      values.given_[next->name].push_back(arguments[i]);
      continue;
    }
    const size_t equals = rest.find('=');
    const absl::string_view name = rest.substr(0, equals);
    const Flag* flag = FindFlag(flags, name);
    std::string value;
    if (flag == nullptr && equals == rest.npos && absl::StartsWith(name, "no")) {
      flag = FindFlag(flags, name.substr(2));
      if (flag != nullptr && flag->kind != FlagKind::kSwitch) flag = nullptr;
      value = "false";
    }
    if (flag == nullptr) return UnknownFlag(flags, name);
    if (equals != rest.npos) {
      value = std::string(rest.substr(equals + 1));
    } else if (flag->kind == FlagKind::kSwitch) {
      if (value.empty()) value = "true";
    } else if (i + 1 < arguments.size() && !absl::StartsWith(arguments[i + 1], "--")) {
      value = arguments[++i];
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag->name, " needs a value: --", flag->name, "=", flag->value_name));
    }
    CONADV_RETURN_IF_ERROR(CheckValue(*flag, value));
    std::vector<std::string>& given = values.given_[flag->name];
    if (!given.empty() && flag->kind != FlagKind::kRepeated) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag->name, " is given twice"));
    }
    given.push_back(std::move(value));
  }
  for (const Flag& flag : flags) {
    if (flag.kind == FlagKind::kArgument && values.given_.count(flag.name) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(flag.value_name, " is needed: ", flag.help));
    }
  }
  return values;
}

std::string FlagValues::ValueOf(absl::string_view name) const {
  const auto given = given_.find(std::string(name));
  if (given != given_.end()) return given->second.front();
  const auto found = defaults_.find(std::string(name));
  CHECK(found != defaults_.end()) << "no flag --" << name << " in the command's table";
  return found->second;
}

bool FlagValues::Given(absl::string_view name) const { return given_.count(std::string(name)) > 0; }

std::string FlagValues::Text(absl::string_view name) const { return ValueOf(name); }

uint64_t FlagValues::Count(absl::string_view name) const {
  uint64_t value = 0;
  const std::string text = ValueOf(name);
  CHECK(text.empty() || ParseCount(text, &value)) << "--" << name << "=" << text;
  return value;
}

absl::Duration FlagValues::Seconds(absl::string_view name) const {
  double value = 0;
  const std::string text = ValueOf(name);
  CHECK(absl::SimpleAtod(text, &value)) << "--" << name << "=" << text;
  return absl::Seconds(value);
}

bool FlagValues::Switch(absl::string_view name) const {
  bool value = false;
  const std::string text = ValueOf(name);
  CHECK(text.empty() || absl::SimpleAtob(text, &value)) << "--" << name << "=" << text;
  return value;
}

std::vector<std::string> FlagValues::Repeated(absl::string_view name) const {
  const auto given = given_.find(std::string(name));
  return given == given_.end() ? std::vector<std::string>() : given->second;
}

std::string FlagSynopsis(absl::Span<const Flag> flags) {
  std::string text;
  bool named = false;
  for (const Flag& flag : flags) {
    if (flag.kind == FlagKind::kArgument) absl::StrAppend(&text, " ", flag.value_name);
    named = named || flag.kind != FlagKind::kArgument;
  }
  return absl::StrCat(text, named ? " [flags]" : "");
}

std::string FlagHelp(absl::Span<const Flag> flags) {
  std::string text;
  for (const Flag& flag : flags) {
    const bool argument = flag.kind == FlagKind::kArgument;
    std::string spelling = argument ? flag.value_name : absl::StrCat("--", flag.name);
    if (!argument && !flag.value_name.empty()) absl::StrAppend(&spelling, "=", flag.value_name);
    absl::StrAppendFormat(&text, "  %-22s %s", spelling, flag.help);
    if (flag.kind == FlagKind::kRepeated) absl::StrAppend(&text, " (repeatable)");
    if (!flag.default_value.empty()) absl::StrAppend(&text, " (default: ", flag.default_value, ")");
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace conadv
