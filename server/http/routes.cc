// SPDX-License-Identifier: Apache-2.0
#include "server/http/routes.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/wire/addresses.h"

namespace conadv {
namespace {

// "localhost:8080" names this machine; a name that somebody else's DNS gives does not.
bool NamesThisMachine(absl::string_view host) {
  const bool has_port =
      absl::StrContains(host, ':') && !(absl::StartsWith(host, "[") && absl::EndsWith(host, "]"));
  return IsLoopback(has_port ? std::string(host) : absl::StrCat(host, ":0"));
}

HttpResponse Unauthenticated(absl::string_view why) {
  HttpResponse response = TextResponse(401, std::string(why));
  // A browser asks for a password, which is the token.
  response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"conadv\", charset=\"UTF-8\"");
  response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"conadv\"");
  return response;
}

CallerProof ProofOf(const HttpRequest& request) {
  CallerProof proof;
  if (!request.authorization.empty()) proof.authorization = request.authorization;
  if (!request.certificates.empty()) proof.certificates = request.certificates;
  return proof;
}

void AddHeader(std::string name, std::string value, HttpResponse* response) {
  for (const auto& [present, of_it] : response->headers) {
    if (absl::EqualsIgnoreCase(present, name)) return;
  }
  response->headers.emplace_back(std::move(name), std::move(value));
}

}  // namespace

void HttpRoutes::Add(std::string path, HttpAccess access, Answer answer) {
  routes_.insert_or_assign(std::move(path), Route{access, std::move(answer)});
}

HttpResponse HttpRoutes::Respond(const HttpRequest& request) const {
  HttpResponse response = Find(request);
  // Nothing but what comes from here: no script of elsewhere, none in the page's text, no frame.
  AddHeader("Content-Security-Policy",
            "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'",
            &response);
  AddHeader("X-Content-Type-Options", "nosniff", &response);
  AddHeader("X-Frame-Options", "DENY", &response);
  AddHeader("Referrer-Policy", "no-referrer", &response);
  AddHeader("Cross-Origin-Resource-Policy", "same-origin", &response);
  AddHeader("Cache-Control", "no-store", &response);
  return response;
}

HttpResponse HttpRoutes::Find(const HttpRequest& request) const {
  if (options_.loopback && !request.host.empty() && !NamesThisMachine(request.host)) {
    return TextResponse(421, absl::StrCat("this address is for this machine alone: ask for "
                                          "127.0.0.1 or localhost, not ",
                                          request.host));
  }
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse response = TextResponse(405, "read only: GET and HEAD");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  const auto route = routes_.find(request.path);
  if (route != routes_.end() && route->second.access == HttpAccess::kOpen) {
    return route->second.answer(request);
  }
  // Before it is said what there is and what there is not.
  if (options_.authorize != nullptr) {
    if (const absl::Status status = options_.authorize(ProofOf(request)); !status.ok()) {
      return absl::IsUnauthenticated(status) ? Unauthenticated(status.message())
                                             : ErrorResponse(status);
    }
  }
  if (route == routes_.end()) return TextResponse(404, absl::StrCat("no ", request.path, " here"));
  return route->second.answer(request);
}

std::optional<std::string> QueryValue(absl::string_view query, absl::string_view name) {
  for (const absl::string_view part : absl::StrSplit(query, '&')) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (pair.first == name) return std::string(pair.second);
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<uint64_t>> QueryNumber(absl::string_view query,
                                                    absl::string_view name) {
  const std::optional<std::string> text = QueryValue(query, name);
  if (!text.has_value()) return std::optional<uint64_t>();
  uint64_t number = 0;
  if (!absl::SimpleAtoi(*text, &number)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": must be a whole number, got ", *text));
  }
  return std::optional<uint64_t>(number);
}

HttpResponse ErrorResponse(const absl::Status& status) {
  const auto code = [&status] {
    switch (status.code()) {
      case absl::StatusCode::kInvalidArgument: return 400;
      case absl::StatusCode::kUnauthenticated: return 401;
      case absl::StatusCode::kPermissionDenied: return 403;
      case absl::StatusCode::kNotFound: return 404;
      case absl::StatusCode::kAborted: return 409;
      case absl::StatusCode::kUnavailable: return 503;
      default: return 500;
    }
  };
  return TextResponse(code(), std::string(status.message()));
}

}  // namespace conadv
