// SPDX-License-Identifier: Apache-2.0
// HTTP over real sockets: what a peer may cost, and what it gets.
#include "server/http/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>

#include "tests/server/http/http_client.h"
#include "tests/support/certificates.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

HttpListenerOptions Local() {
  HttpListenerOptions options;
  options.listen = "127.0.0.1:0";
  return options;
}

std::unique_ptr<HttpListener> Start(HttpListenerOptions options) {
  auto listener = HttpListener::Start(std::move(options), [](const HttpRequest& request) {
    return TextResponse(
        200, request.method + " " + request.path + " ? " + request.query + " of " + request.host);
  });
  EXPECT_TRUE(listener.ok()) << listener.status();
  return listener.ok() ? *std::move(listener) : nullptr;
}

TEST(HttpListener, AnswersOnThePortThatItPicked) {
  const auto listener = Start(Local());
  EXPECT_EQ(listener->url(), "http://" + listener->address() + "/");
  HttpClient client(listener->address());
  client.Send("GET /a?b=c HTTP/1.1\r\nHost: me:1\r\nConnection: close\r\n\r\n");
  const std::string answer = client.Rest();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nGET /a ? b=c of me:1\n"));
}

TEST(HttpListener, OneConnectionTakesRequestsOneAfterAnother) {
  const auto listener = Start(Local());
  HttpClient client(listener->address());
  client.Send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
  const std::string answers = client.Rest();
  EXPECT_THAT(answers, HasSubstr("GET /1 "));
  EXPECT_THAT(answers, HasSubstr("GET /2 "));
}

TEST(HttpListener, HeadHasTheLengthAndNoBody) {
  const auto listener = Start(Local());
  HttpClient client(listener->address());
  client.Send("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = client.Rest();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 16\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST(HttpListener, WhatIsNoRequestOrTooLongIsRefusedAndTheConnectionEnds) {
  const auto listener = Start(Local());
  HttpClient garbage(listener->address());
  garbage.Send("\x16\x03\x01 what\r\n\r\n");
  EXPECT_THAT(garbage.Rest(), StartsWith("HTTP/1.1 400 "));
  HttpClient header(listener->address());
  header.Send("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'a'));
  EXPECT_THAT(header.Rest(), StartsWith("HTTP/1.1 431 "));
  HttpClient body(listener->address());
  body.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc");
  EXPECT_THAT(body.Rest(), HasSubstr("Connection: close\r\n"));
}

TEST(HttpListener, ASlowPeerLosesItsConnectionAndOthersAreServed) {
  HttpListenerOptions options = Local();
  options.patience = absl::Milliseconds(100);
  const auto listener = Start(options);
  HttpClient slow(listener->address());
  slow.Send("GET / HT");
  HttpClient client(listener->address());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.Rest(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(slow.Rest(), "");
}

TEST(HttpListener, TheOldestConnectionMakesRoomForTheNewest) {
  HttpListenerOptions options = Local();
  options.most_connections = 2;
  const auto listener = Start(options);
  HttpClient first(listener->address());
  first.Send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(first.Head(), HasSubstr("200 OK"));
  HttpClient second(listener->address());
  HttpClient third(listener->address());
  third.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(third.Rest(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(first.Rest(), "") << "it is closed";
}

TEST(HttpListener, ATakenPortIsAnErrorThatNamesIt) {
  const auto listener = Start(Local());
  HttpListenerOptions options = Local();
  options.listen = listener->address();
  const auto second = HttpListener::Start(options, nullptr);
  EXPECT_TRUE(absl::IsUnavailable(second.status())) << second.status();
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(listener->address()));
}

TEST(HttpListener, ConnectionsThatWaitDoNotHoldItsEndUp) {
  auto listener = Start(Local());
  HttpClient idle(listener->address());
  idle.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(idle.Head(), HasSubstr("200 OK"));
  listener.reset();
  EXPECT_THAT(idle.Rest(), Not(HasSubstr("200 OK")));
}

class TlsListener : public ::testing::Test {
 protected:
  TlsListener() {
    Write("root.pem", authority_.root());
    Use("first");
    options_ = Local();
    options_.clock = &clock_;
    options_.tls = {directory_.path() + "/cert.pem", directory_.path() + "/key.pem", true};
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_.path() + "/" + name) << text;
  }
  // The listener's certificate from now on.
  void Use(const std::string& name) {
    Subject subject;
    subject.name = name;
    const Issued issued = authority_.Issue(subject);
    Write("cert.pem", issued.certificate);
    Write("key.pem", issued.key);
  }
  struct Seen {
    std::string server;  // its certificate's name
    std::string answer;
  };
  Seen Ask(const std::string& address, const Issued* own = nullptr) {
    namespace ssl = boost::asio::ssl;
    ssl::context context(ssl::context::tls_client);
    context.load_verify_file(directory_.path() + "/root.pem");
    context.set_verify_mode(ssl::verify_peer);
    if (own != nullptr) {
      context.use_certificate_chain(boost::asio::buffer(own->certificate));
      context.use_private_key(boost::asio::buffer(own->key), ssl::context::pem);
    }
    HttpClient tcp(address);
    ssl::stream<boost::asio::ip::tcp::socket&> stream(tcp.socket(), context);
    stream.handshake(ssl::stream_base::client);
    char name[64] = "";
    X509* const certificate = SSL_get1_peer_certificate(stream.native_handle());
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof(name));
    X509_free(certificate);
    boost::asio::write(stream, boost::asio::buffer(std::string("GET / HTTP/1.0\r\n\r\n")));
    return {name, ReadAll(stream)};
  }

  const CertificateAuthority authority_;
  const TempDir directory_;
  FakeClock clock_;
  HttpListenerOptions options_;
};

TEST_F(TlsListener, ShowsTheCertificateThatIsThereNow) {
  const auto listener = Start(options_);
  EXPECT_THAT(listener->url(), StartsWith("https://"));
  EXPECT_EQ(Ask(listener->address()).server, "first");
  Use("second");
  EXPECT_EQ(Ask(listener->address()).server, "first") << "it looks once a second";
  clock_.now += absl::Seconds(2);
  const Seen seen = Ask(listener->address());
  EXPECT_EQ(seen.server, "second");
  EXPECT_THAT(seen.answer, StartsWith("HTTP/1.1 200 "));
  Write("key.pem", "half of a ke");
  clock_.now += absl::Seconds(2);
  EXPECT_EQ(Ask(listener->address()).server, "second") << "what is wrong changes nothing";
}

TEST_F(TlsListener, TheHandlerSeesWhatThePeerShows) {
  const auto listener = *HttpListener::Start(options_, [](const HttpRequest& request) {
    return TextResponse(200, "<" + request.certificates + ">");
  });
  EXPECT_THAT(Ask(listener->address()).answer, HasSubstr("<>"));
  Subject subject;
  subject.unit = "viewer";
  const Issued own = authority_.Issue(subject);
  EXPECT_THAT(Ask(listener->address(), &own).answer, HasSubstr(own.certificate));
}

TEST_F(TlsListener, ACertificateThatIsNoneIsAnErrorThatNamesTheFile) {
  Write("cert.pem", "no certificate");
  const auto listener = HttpListener::Start(options_, nullptr);
  EXPECT_THAT(std::string(listener.status().message()), HasSubstr("cert.pem"));
}

}  // namespace
}  // namespace conadv
