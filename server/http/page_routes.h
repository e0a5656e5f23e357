// SPDX-License-Identifier: Apache-2.0
// The live page's files as routes. Pure functions.
#ifndef CONADV_SERVER_HTTP_PAGE_ROUTES_H_
#define CONADV_SERVER_HTTP_PAGE_ROUTES_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/http/message.h"
#include "server/http/page_files.h"
#include "server/http/routes.h"

namespace conadv {

// By the path's end; what is not known is bytes.
absl::string_view TypeOfPath(absl::string_view path);
// 304 if the caller has these very bytes.
HttpResponse PageResponse(const PageFile& file, const HttpRequest& request);
// Each at "/" and its path; index.html is "/" as well.
void AddPageRoutes(absl::Span<const PageFile> files, HttpRoutes* routes);

}  // namespace conadv

#endif  // CONADV_SERVER_HTTP_PAGE_ROUTES_H_
