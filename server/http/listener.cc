// SPDX-License-Identifier: Apache-2.0
#include "server/http/listener.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "common/thread/mutex.h"
#include "server/http/connection.h"

namespace conadv {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;

// When there is no descriptor left for a connection.
constexpr std::chrono::milliseconds kAcceptAgain(100);

}  // namespace

class HttpListener::Loop {
 public:
  Loop(HttpListenerOptions options, Handler handler, std::unique_ptr<TlsIdentity> identity)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        identity_(std::move(identity)),
        acceptor_(asio::make_strand(context_)),
        accept_again_(acceptor_.get_executor()) {}
  ~Loop() {
    context_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  absl::Status Listen() {
    const size_t colon = options_.listen.rfind(':');
    host_ = options_.listen.substr(0, colon);
    absl::string_view bare = host_;
    if (absl::ConsumePrefix(&bare, "[")) absl::ConsumeSuffix(&bare, "]");
    Error error;
    const auto found = tcp::resolver(context_).resolve(
        std::string(bare), options_.listen.substr(colon + 1), tcp::resolver::passive, error);
    if (!error) error = asio::error::host_not_found;
    for (const auto& entry : found) {
      error = Bind(entry.endpoint());
      if (!error) break;
    }
    if (error) {
      return absl::UnavailableError(absl::StrCat("cannot listen for HTTP on ", options_.listen,
                                                 ": ", error.message(),
                                                 "; port 0 picks a free one"));
    }
    address_ = absl::StrCat(host_, ":", acceptor_.local_endpoint().port());
    return absl::OkStatus();
  }

  void Begin() {
    Accept();
    for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { context_.run(); });
  }

  const std::string& address() const { return address_; }
  bool tls() const { return identity_ != nullptr; }

 private:
  Error Bind(const tcp::endpoint& endpoint) {
    Error error;
    Error ignored;
    acceptor_.close(ignored);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    return error;
  }

  void Accept() {
    acceptor_.async_accept(asio::make_strand(context_),
                           [this](const Error& error, tcp::socket socket) {
                             if (!error) {
                               Serve(std::move(socket));
                               return Accept();
                             }
                             accept_again_.expires_after(kAcceptAgain);
                             accept_again_.async_wait([this](const Error&) { Accept(); });
                           });
  }

  void Serve(tcp::socket socket) {
    const uint64_t id = MakeRoom();
    const auto gone = [this, id] {
      MutexLock lock(&mutex_);
      connections_.erase(id);
    };
    std::shared_ptr<HttpConnection> connection;
    boost::beast::tcp_stream tcp(std::move(socket));
    if (identity_ == nullptr) {
      connection = std::make_shared<HttpConnectionOver<PlainHttpStream>>(
          std::make_unique<PlainHttpStream>(std::move(tcp)), nullptr,
          HttpConnectionOver<PlainHttpStream>::Hooks{handler_, gone, options_.patience});
    } else {
      const std::shared_ptr<asio::ssl::context> context = *identity_->Get();
      connection = std::make_shared<HttpConnectionOver<TlsHttpStream>>(
          std::make_unique<TlsHttpStream>(std::move(tcp), *context), context,
          HttpConnectionOver<TlsHttpStream>::Hooks{handler_, gone, options_.patience});
    }
    {
      MutexLock lock(&mutex_);
      connections_.emplace(id, connection);
    }
    connection->Run();
  }

  // The number of a new connection, for which the oldest goes if there are too many.
  uint64_t MakeRoom() {
    std::shared_ptr<HttpConnection> oldest;  // may end here, and asks for the lock then
    MutexLock lock(&mutex_);
    if (connections_.size() >= options_.most_connections) {
      oldest = connections_.begin()->second.lock();
      connections_.erase(connections_.begin());
    }
    if (oldest != nullptr) oldest->Drop();
    return ++last_;
  }

  const HttpListenerOptions options_;
  const Handler handler_;
  const std::unique_ptr<TlsIdentity> identity_;  // nullptr: without TLS
  std::string host_;
  std::string address_;
  Mutex mutex_;
  uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, std::weak_ptr<HttpConnection>> connections_ ABSL_GUARDED_BY(mutex_);
  asio::io_context context_;  // what waits in it uses what is above
  tcp::acceptor acceptor_;
  asio::steady_timer accept_again_;
  std::vector<std::thread> threads_;
};

absl::StatusOr<std::unique_ptr<HttpListener>> HttpListener::Start(HttpListenerOptions options,
                                                                  Handler handler) {
  std::unique_ptr<TlsIdentity> identity;
  if (!options.tls.cert.empty()) {
    CONADV_ASSIGN_OR_RETURN(identity, OpenTlsIdentity(options.tls, options.files, options.clock));
  }
  auto loop = std::make_unique<Loop>(std::move(options), std::move(handler), std::move(identity));
  CONADV_RETURN_IF_ERROR(loop->Listen());
  loop->Begin();
  return std::unique_ptr<HttpListener>(new HttpListener(std::move(loop)));
}

HttpListener::HttpListener(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
HttpListener::~HttpListener() = default;

const std::string& HttpListener::address() const { return loop_->address(); }

std::string HttpListener::url() const {
  return absl::StrCat(loop_->tls() ? "https://" : "http://", loop_->address(), "/");
}

}  // namespace conadv
