// SPDX-License-Identifier: Apache-2.0
#include "common/wire/addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

constexpr size_t kMostAddresses = 4096;

absl::Status Broken(absl::string_view item, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("address '", item, "': ", why));
}

absl::Status CheckAddress(absl::string_view address, uint32_t least_port = 1) {
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) {
    return Broken(address, "must be HOST:PORT");
  }
  const absl::string_view host = address.substr(0, colon);
  if (absl::StrContains(host, ":") && (host.front() != '[' || host.back() != ']')) {
    return Broken(address, "must be HOST:PORT, with an IPv6 address in brackets, as in [::1]:7000");
  }
  uint32_t port = 0;
  if (!absl::SimpleAtoi(address.substr(colon + 1), &port) || port < least_port || port > 65535) {
    return Broken(address, absl::StrCat("the port must be ", least_port, " to 65535"));
  }
  return absl::OkStatus();
}

struct Range {
  uint32_t low = 0;
  uint32_t high = 0;
};

// "LOW..HIGH", or "COUNT" for 0..COUNT-1.
std::optional<Range> ParseRange(absl::string_view text) {
  Range range;
  if (!absl::StrContains(text, "..")) {
    uint32_t count = 0;
    if (!absl::SimpleAtoi(text, &count) || count == 0 || count > kMostAddresses) {
      return std::nullopt;
    }
    range.high = count - 1;
    return range;
  }
  const std::pair<absl::string_view, absl::string_view> bounds =
      absl::StrSplit(text, absl::MaxSplits("..", 1));
  if (!absl::SimpleAtoi(bounds.first, &range.low) ||
      !absl::SimpleAtoi(bounds.second, &range.high) || range.low > range.high ||
      range.high - range.low >= kMostAddresses) {
    return std::nullopt;
  }
  return range;
}

// Appends what one item of the list stands for.
absl::Status ExpandItem(absl::string_view item, std::vector<std::string>* out) {
  const size_t open = item.find('{');
  if (open == absl::string_view::npos) {
    out->emplace_back(item);
    return absl::OkStatus();
  }
  const size_t close = item.find('}', open);
  const std::optional<Range> range = close == absl::string_view::npos
                                         ? std::nullopt
                                         : ParseRange(item.substr(open + 1, close - open - 1));
  if (!range.has_value()) {
    return Broken(item,
                  "a range is written {LOW..HIGH} or, from 0, {COUNT}, as in "
                  "server-{0..3}.servers:7000 or server-{4}.servers:7000");
  }
  for (uint32_t number = range->low; number <= range->high; ++number) {
    out->push_back(absl::StrCat(item.substr(0, open), number, item.substr(close + 1)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ExpandAddresses(absl::string_view list) {
  std::vector<std::string> addresses;
  for (const absl::string_view item : absl::StrSplit(list, ',')) {
    CONADV_RETURN_IF_ERROR(ExpandItem(absl::StripAsciiWhitespace(item), &addresses));
    if (addresses.size() > kMostAddresses) {
      return Broken(item, absl::StrCat("more than ", kMostAddresses, " addresses in all"));
    }
  }
  absl::flat_hash_set<std::string> seen;
  for (const std::string& address : addresses) {
    CONADV_RETURN_IF_ERROR(CheckAddress(address));
    if (!seen.insert(address).second) return Broken(address, "is there twice");
  }
  return addresses;
}

absl::StatusOr<uint32_t> OrdinalOf(absl::string_view host_name) {
  const absl::string_view name = host_name.substr(0, host_name.find('.'));
  const size_t dash = name.rfind('-');
  uint32_t ordinal = 0;
  if (dash == absl::string_view::npos || !absl::SimpleAtoi(name.substr(dash + 1), &ordinal)) {
    return absl::InvalidArgumentError(
        absl::StrCat("host name '", host_name,
                     "' does not end in -NUMBER, so the shard is not known: use --shard=K"));
  }
  return ordinal;
}

absl::Status CheckListenAddress(absl::string_view address) {
  return CheckAddress(address, /*least_port=*/0);
}

bool IsWildcard(absl::string_view address) {
  absl::string_view host = address.substr(0, address.rfind(':'));
  in6_addr six{};
  if (absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]")) {
    return inet_pton(AF_INET6, std::string(host).c_str(), &six) == 1 &&
           IN6_IS_ADDR_UNSPECIFIED(&six);
  }
  in_addr four{};
  return inet_pton(AF_INET, std::string(host).c_str(), &four) == 1 && four.s_addr == INADDR_ANY;
}

bool IsLoopback(absl::string_view address) {
  absl::string_view host = address.substr(0, address.rfind(':'));
  if (host == "localhost" || host == "ip6-localhost") return true;
  in6_addr six{};
  if (absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]")) {
    return inet_pton(AF_INET6, std::string(host).c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
  }
  in_addr four{};
  return inet_pton(AF_INET, std::string(host).c_str(), &four) == 1 &&
         ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
}

}  // namespace conadv
