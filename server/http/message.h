// SPDX-License-Identifier: Apache-2.0
// A request and its answer, without a connection. Plain values.
#ifndef CONADV_SERVER_HTTP_MESSAGE_H_
#define CONADV_SERVER_HTTP_MESSAGE_H_

#include <string>
#include <utility>
#include <vector>

namespace conadv {

struct HttpRequest {
  std::string method;
  std::string path;   // before the '?'
  std::string query;  // after it
  // Headers; empty: it has none.
  std::string host;
  std::string authorization;
  std::string if_none_match;
  std::string accept;
  std::string certificates;  // that the peer showed, PEM; it is for the handler to judge them
};

struct HttpResponse {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// One line for people.
inline HttpResponse TextResponse(int status, std::string text) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(text) + "\n";
  return response;
}

}  // namespace conadv

#endif  // CONADV_SERVER_HTTP_MESSAGE_H_
