// SPDX-License-Identifier: Apache-2.0
// Which request gets which answer: who may ask, by what method, for what path. Immutable once its
// routes are there; thread-safe then.
#ifndef CONADV_SERVER_HTTP_ROUTES_H_
#define CONADV_SERVER_HTTP_ROUTES_H_

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/security/authorizer.h"
#include "server/http/message.h"

namespace conadv {

// Whether who shows this may look. UNAUTHENTICATED: show something else; anything but OK: no.
using AuthorizeHttp = std::function<absl::Status(const CallerProof& proof)>;

enum class HttpAccess {
  kOpen,    // for whoever asks: it says nothing about the run
  kViewer,  // for whom AuthorizeHttp lets through
};

class HttpRoutes {
 public:
  using Answer = std::function<HttpResponse(const HttpRequest&)>;
  struct Options {
    // The listener is for this machine alone: a page of somewhere else whose name was made to lead
    // here does not read it (DNS rebinding).
    bool loopback = true;
    AuthorizeHttp authorize;  // empty: all may look
  };

  explicit HttpRoutes(Options options) : options_(std::move(options)) {}

  // For GET and HEAD of exactly this path.
  void Add(std::string path, HttpAccess access, Answer answer);
  // With the headers that every answer has.
  HttpResponse Respond(const HttpRequest& request) const;

 private:
  struct Route {
    HttpAccess access;
    Answer answer;
  };

  HttpResponse Find(const HttpRequest& request) const;

  const Options options_;
  std::map<std::string, Route, std::less<>> routes_;
};

// The value of `name` in a query, "after=3&lineage=7"; nothing if it is not there.
std::optional<std::string> QueryValue(absl::string_view query, absl::string_view name);
// The same as a number. INVALID_ARGUMENT: it is none.
absl::StatusOr<std::optional<uint64_t>> QueryNumber(absl::string_view query,
                                                    absl::string_view name);
// An error as HTTP has it, with the sentence as its body.
HttpResponse ErrorResponse(const absl::Status& status);

}  // namespace conadv

#endif  // CONADV_SERVER_HTTP_ROUTES_H_
