// SPDX-License-Identifier: Apache-2.0
// The plainest HTTP client: bytes out, bytes in until the other end closes. One thread.
#ifndef CONADV_TESTS_SERVER_HTTP_HTTP_CLIENT_H_
#define CONADV_TESTS_SERVER_HTTP_HTTP_CLIENT_H_

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <utility>

namespace conadv {

template <class Stream>
std::string ReadAll(Stream& stream) {
  std::string text;
  boost::system::error_code error;
  boost::asio::read(stream, boost::asio::dynamic_buffer(text), error);
  return text;
}

class HttpClient {
 public:
  explicit HttpClient(const std::string& address) : socket_(context_) {
    const size_t colon = address.rfind(':');
    boost::asio::connect(socket_, boost::asio::ip::tcp::resolver(context_).resolve(
                                      address.substr(0, colon), address.substr(colon + 1)));
  }
  void Send(const std::string& text) {
    boost::system::error_code ignored;  // the other end may have closed
    boost::asio::write(socket_, boost::asio::buffer(text), ignored);
  }
  // Until the other end closes.
  std::string Rest() { return ReadAll(socket_); }
  // One answer's header, with what came after it.
  std::string Head() {
    boost::asio::read_until(socket_, boost::asio::dynamic_buffer(text_), "\r\n\r\n");
    return std::exchange(text_, "");
  }
  boost::asio::ip::tcp::socket& socket() { return socket_; }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_;
  std::string text_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_HTTP_HTTP_CLIENT_H_
