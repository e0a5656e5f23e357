// SPDX-License-Identifier: Apache-2.0
// One HTTP connection, over TLS or without: a request, its answer, the next request. Its events
// come one at a time, on its stream's strand; only Drop may be called by any thread. Keeps itself
// while something is under way. Only the listener includes this: Boost takes long to compile.
#ifndef CONADV_SERVER_HTTP_CONNECTION_H_
#define CONADV_SERVER_HTTP_CONNECTION_H_

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/http/message.h"
#include "server/http/tls_identity.h"

namespace conadv {

class HttpConnection {
 public:
  virtual ~HttpConnection() = default;
  virtual void Run() = 0;
  // Ends it soon.
  virtual void Drop() = 0;
};

using PlainHttpStream = boost::beast::tcp_stream;
using TlsHttpStream = boost::asio::ssl::stream<boost::beast::tcp_stream>;

template <class Stream>
class HttpConnectionOver final : public HttpConnection,
                                 public std::enable_shared_from_this<HttpConnectionOver<Stream>> {
 public:
  struct Hooks {
    std::function<HttpResponse(const HttpRequest&)> handler;
    std::function<void()> gone;
    absl::Duration patience;
  };

  // `keep` is what the stream refers to.
  HttpConnectionOver(std::unique_ptr<Stream> stream, std::shared_ptr<void> keep, Hooks hooks)
      : keep_(std::move(keep)), stream_(std::move(stream)), hooks_(std::move(hooks)) {}
  ~HttpConnectionOver() override { hooks_.gone(); }

  void Run() override {
    boost::asio::dispatch(stream_->get_executor(), [self = this->shared_from_this()] {
      self->SetDeadline();
      self->Begin();
    });
  }

  void Drop() override {
    boost::asio::post(stream_->get_executor(), [self = this->shared_from_this()] {
      boost::beast::get_lowest_layer(*self->stream_).close();
    });
  }

 private:
  // A page's URL is short, and a token's header is not long.
  static constexpr size_t kMostHeaderBytes = 16 << 10;
  using Error = boost::beast::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;
  using Serializer = boost::beast::http::response_serializer<boost::beast::http::string_body>;

  void SetDeadline() {
    boost::beast::get_lowest_layer(*stream_).expires_after(
        absl::ToChronoNanoseconds(hooks_.patience));
  }

  void Begin() {
    if constexpr (std::is_same_v<Stream, TlsHttpStream>) {
      stream_->async_handshake(boost::asio::ssl::stream_base::server,
                               [self = this->shared_from_this()](const Error& error) {
                                 if (error) return;
                                 self->certificates_ =
                                     PeerCertificates(self->stream_->native_handle());
                                 self->Read();
                               });
    } else {
      Read();
    }
  }

  void Read() {
    SetDeadline();
    parser_.emplace();
    parser_->header_limit(kMostHeaderBytes);
    boost::beast::http::async_read_header(
        *stream_, buffer_, *parser_,
        [self = this->shared_from_this()](const Error& error, size_t) { self->OnRead(error); });
  }

  void OnRead(const Error& error) {
    if (error == boost::beast::http::error::header_limit) {
      return Write(TextResponse(431, "the request's header is too long"), /*head=*/false);
    }
    // The library's own errors are about what the peer said; the others, about the connection.
    if (error && error.category() == Error(boost::beast::http::error::bad_target).category() &&
        error != boost::beast::http::error::end_of_stream &&
        error != boost::beast::http::error::partial_message) {
      return Write(TextResponse(400, error.message()), /*head=*/false);
    }
    if (error) return End();
    const auto& message = parser_->get();
    HttpRequest request;
    request.method = std::string(message.method_string());
    const absl::string_view target(message.target().data(), message.target().size());
    const size_t mark = target.find('?');
    request.path = std::string(target.substr(0, mark));
    if (mark != absl::string_view::npos) request.query = std::string(target.substr(mark + 1));
    request.host = Header(message, boost::beast::http::field::host);
    request.authorization = Header(message, boost::beast::http::field::authorization);
    request.if_none_match = Header(message, boost::beast::http::field::if_none_match);
    request.accept = Header(message, boost::beast::http::field::accept);
    request.certificates = certificates_;
    // What comes with a body is not read to its end.
    const bool empty = parser_->content_length().value_or(0) == 0 && !parser_->chunked();
    goes_on_ = empty && message.keep_alive();
    Write(hooks_.handler(request), message.method() == boost::beast::http::verb::head);
  }

  template <class Message>
  static std::string Header(const Message& message, boost::beast::http::field field) {
    const auto value = message[field];
    return std::string(value.data(), value.size());
  }

  void Write(HttpResponse answer, bool head) {
    SetDeadline();
    response_ = Response(static_cast<boost::beast::http::status>(answer.status), /*version=*/11);
    response_.set(boost::beast::http::field::content_type, answer.type);
    for (auto& [name, value] : answer.headers) response_.insert(name, value);
    response_.keep_alive(goes_on_);
    response_.body() = std::move(answer.body);
    // A 304 has no body, and none is announced.
    if (answer.status != 304) response_.prepare_payload();
    serializer_.emplace(response_);
    auto done = [self = this->shared_from_this()](const Error& error, size_t) {
      self->OnWritten(error);
    };
    if (head || answer.status == 304) {
      boost::beast::http::async_write_header(*stream_, *serializer_, std::move(done));
    } else {
      boost::beast::http::async_write(*stream_, *serializer_, std::move(done));
    }
  }

  void OnWritten(const Error& error) {
    if (error) return;
    if (!goes_on_) return End();
    response_ = {};
    Read();
  }

  void End() {
    if constexpr (std::is_same_v<Stream, TlsHttpStream>) {
      SetDeadline();
      stream_->async_shutdown([self = this->shared_from_this()](const Error&) {});
    } else {
      Error ignored;
      stream_->socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
    }
  }

  const std::shared_ptr<void> keep_;
  const std::unique_ptr<Stream> stream_;
  const Hooks hooks_;
  std::string certificates_;  // the peer's
  boost::beast::flat_buffer buffer_{kMostHeaderBytes};
  std::optional<Parser> parser_;
  Response response_;
  std::optional<Serializer> serializer_;
  bool goes_on_ = false;
};

}  // namespace conadv

#endif  // CONADV_SERVER_HTTP_CONNECTION_H_
