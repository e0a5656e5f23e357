// SPDX-License-Identifier: Apache-2.0
#include "server/http/page_routes.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace conadv {

absl::string_view TypeOfPath(absl::string_view path) {
  static constexpr std::pair<absl::string_view, absl::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"},
  };
  for (const auto& [end, type] : kTypes) {
    if (absl::EndsWith(path, end)) return type;
  }
  return "application/octet-stream";
}

HttpResponse PageResponse(const PageFile& file, const HttpRequest& request) {
  HttpResponse response;
  const std::string tag = absl::StrCat("\"", file.digest, "\"");
  response.type = std::string(TypeOfPath(file.path));
  response.headers.emplace_back("ETag", tag);
  // A browser asks each time whether it still has the server's own.
  response.headers.emplace_back("Cache-Control", "no-cache");
  if (absl::StrContains(request.if_none_match, tag)) {
    response.status = 304;
  } else {
    response.body.assign(reinterpret_cast<const char*>(file.bytes), file.size);
  }
  return response;
}

void AddPageRoutes(absl::Span<const PageFile> files, HttpRoutes* routes) {
  for (const PageFile& file : files) {
    const auto answer = [&file](const HttpRequest& request) { return PageResponse(file, request); };
    routes->Add(absl::StrCat("/", file.path), HttpAccess::kViewer, answer);
    if (absl::string_view(file.path) == "index.html") routes->Add("/", HttpAccess::kViewer, answer);
  }
}

}  // namespace conadv
