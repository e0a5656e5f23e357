// SPDX-License-Identifier: Apache-2.0
// Who gets what over HTTP, without a connection.
#include "server/http/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/http/page_routes.h"

namespace conadv {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

std::vector<std::string> Headers(const HttpResponse& response, absl::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : response.headers) {
    if (key == name) values.push_back(value);
  }
  return values;
}

HttpRequest Get(std::string path) {
  HttpRequest request;
  request.method = "GET";
  request.path = std::move(path);
  request.host = "127.0.0.1:8080";
  return request;
}

HttpRoutes Routes(HttpRoutes::Options options) {
  HttpRoutes routes(std::move(options));
  routes.Add("/open", HttpAccess::kOpen, [](const HttpRequest&) { return TextResponse(200, "o"); });
  routes.Add("/run", HttpAccess::kViewer,
             [](const HttpRequest&) { return TextResponse(200, "r"); });
  return routes;
}

TEST(HttpRoutes, OnlyReadsAreAnswered) {
  const HttpRoutes routes = Routes({});
  HttpRequest request = Get("/run");
  EXPECT_EQ(routes.Respond(request).status, 200);
  request.method = "HEAD";
  EXPECT_EQ(routes.Respond(request).status, 200);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", ""}) {
    request.method = method;
    const HttpResponse response = routes.Respond(request);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_THAT(Headers(response, "Allow"), ElementsAre("GET, HEAD"));
  }
  EXPECT_EQ(routes.Respond(Get("/none")).status, 404);
  EXPECT_EQ(routes.Respond(Get("/run/../open")).status, 404);
}

TEST(HttpRoutes, WhoMayNotLookSeesProbesAloneAndNotEvenWhatThereIs) {
  const HttpRoutes routes = Routes({true, [](const CallerProof& proof) -> absl::Status {
                                      if (!proof.authorization.has_value())
                                        return absl::UnauthenticatedError("show a token");
                                      if (*proof.authorization == "Bearer viewer")
                                        return absl::OkStatus();
                                      return absl::PermissionDeniedError("not you");
                                    }});
  EXPECT_EQ(routes.Respond(Get("/open")).status, 200);
  for (const char* path : {"/run", "/none"}) {
    const HttpResponse response = routes.Respond(Get(path));
    EXPECT_EQ(response.status, 401) << path;
    EXPECT_EQ(response.body, "show a token\n");
    EXPECT_THAT(Headers(response, "WWW-Authenticate"),
                ElementsAre(HasSubstr("Basic"), HasSubstr("Bearer")));
  }
  HttpRequest request = Get("/run");
  request.authorization = "Bearer worker";
  EXPECT_EQ(routes.Respond(request).status, 403);
  request.authorization = "Bearer viewer";
  EXPECT_EQ(routes.Respond(request).status, 200);
}

TEST(HttpRoutes, AForeignNameDoesNotReadWhatIsForThisMachine) {
  const HttpRoutes routes = Routes({/*loopback=*/true, nullptr});
  HttpRequest request = Get("/run");
  for (const char* host : {"localhost", "localhost:1", "127.0.0.1:80", "[::1]", "[::1]:80", ""}) {
    request.host = host;
    EXPECT_EQ(routes.Respond(request).status, 200) << host;
  }
  for (const char* host : {"evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1",
                           "[2001:db8::1]:80"}) {
    request.host = host;
    EXPECT_EQ(routes.Respond(request).status, 421) << host;
  }
  EXPECT_EQ(Routes({/*loopback=*/false, nullptr}).Respond(request).status, 200);
}

TEST(HttpRoutes, EveryAnswerKeepsScriptsOfElsewhereAndFramesOut) {
  const HttpRoutes routes = Routes({});
  for (const char* path : {"/run", "/none"}) {
    const HttpResponse response = routes.Respond(Get(path));
    ASSERT_THAT(response.headers, Contains(Key("Content-Security-Policy")));
    const std::string policy = Headers(response, "Content-Security-Policy")[0];
    EXPECT_THAT(policy, HasSubstr("default-src 'self'"));
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    EXPECT_THAT(Headers(response, "X-Content-Type-Options"), ElementsAre("nosniff"));
    EXPECT_THAT(Headers(response, "X-Frame-Options"), ElementsAre("DENY"));
  }
}

TEST(HttpRoutes, NumbersOfAQueryAreReadWhole) {
  EXPECT_EQ(*QueryNumber("after=3&lineage=7", "lineage"), 7U);
  EXPECT_EQ(*QueryNumber("after=3", "lineage"), std::nullopt);
  EXPECT_EQ(*QueryNumber("", "after"), std::nullopt);
  for (const char* query : {"after=", "after=x", "after=-1", "after=1e3", "after"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(QueryNumber(query, "after").status())) << query;
  }
}

TEST(PageRoutes, AFileIsSentOnceAndThenOnlyWhenItIsAnother) {
  const unsigned char bytes[] = {'h', 'i'};
  const PageFile files[] = {{"index.html", bytes, 2, "a1"}, {"x.js", bytes, 2, "b2"}};
  HttpRoutes routes({});
  AddPageRoutes(files, &routes);
  HttpResponse response = routes.Respond(Get("/"));
  EXPECT_EQ(response.body, "hi");
  EXPECT_EQ(response.type, "text/html; charset=utf-8");
  EXPECT_THAT(Headers(response, "ETag"), ElementsAre("\"a1\""));
  EXPECT_EQ(routes.Respond(Get("/x.js")).type, "text/javascript; charset=utf-8");
  HttpRequest again = Get("/index.html");
  again.if_none_match = "\"b2\", \"a1\"";
  response = routes.Respond(again);
  EXPECT_EQ(response.status, 304);
  EXPECT_EQ(response.body, "");
  again.if_none_match = "\"b2\"";
  EXPECT_EQ(routes.Respond(again).status, 200);
}

TEST(PageRoutes, WhatIsBuiltInHasAPageToBeginWith) {
  HttpRoutes routes({});
  AddPageRoutes(PageFiles(), &routes);
  const HttpResponse page = routes.Respond(Get("/"));
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("<!doctype html>"));
}

}  // namespace
}  // namespace conadv
