// A client with Boost.Beast over Boost.Asio and OpenSSL: asynchronous reads into a flat_buffer, one thread.
//
// usage: boost-beast URI --ca FILE [--parse] [--echo] [--idle K]
#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using beast::error_code;

static const std::string subscribe =
    R"({"message":"subscribe","topics":["v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence"],)"
    R"("correlationId":"uno5VlaUHt5t2Mul"})";

static std::string host, port, path, ca;
static bool parse, echo;
static std::size_t idle, opened, confirmed;
static unsigned long long messages, size;

[[noreturn]] static void fail(const std::string &what) {
    std::fprintf(stderr, "boost-beast: %s\n", what.c_str());
    std::exit(69);
}

static void open(asio::io_context &loop, asio::ssl::context &context);

struct Client : std::enable_shared_from_this<Client> {
    asio::io_context &loop;
    asio::ssl::context &context;
    websocket::stream<beast::ssl_stream<tcp::socket>> socket;
    beast::flat_buffer buffer;
    bool is_confirmed = false;

    Client(asio::io_context &loop, asio::ssl::context &context)
        : loop(loop), context(context), socket(loop, context) {}

    void start() {
        socket.next_layer().set_verify_mode(asio::ssl::verify_peer);
        socket.next_layer().set_verify_callback(asio::ssl::host_name_verification(host));
        socket.read_message_max(0);
        auto self = shared_from_this();
        tcp::endpoint endpoint(asio::ip::make_address(host), static_cast<unsigned short>(std::stoi(port)));
        socket.next_layer().next_layer().async_connect(endpoint, [self](error_code error) {
            if (error) fail(error.message());
            self->socket.next_layer().next_layer().set_option(tcp::no_delay(true));
            self->socket.next_layer().async_handshake(
                asio::ssl::stream_base::client, [self](error_code error) { self->upgrade(error); });
        });
    }

    void upgrade(error_code error) {
        if (error) fail(error.message());
        auto self = shared_from_this();
        socket.async_handshake(host + ":" + port, path, [self](error_code error) {
            if (error) fail(error.message());
            self->socket.text(true);
            self->socket.async_write(asio::buffer(subscribe), [self](error_code error, std::size_t) {
                if (error) fail(error.message());
                self->read();
            });
        });
    }

    void read() {
        auto self = shared_from_this();
        socket.async_read(buffer, [self](error_code error, std::size_t length) { self->received(error, length); });
    }

    void received(error_code error, std::size_t length) {
        if (error == websocket::error::closed) return;
        if (error) fail(error.message());
        if (!is_confirmed) {
            is_confirmed = true;
            confirmed++;
            if (opened < idle) open(loop, context);
            if (confirmed == idle) std::puts("READY"), std::fflush(stdout);
        } else {
            messages++;
            size += length;
            auto bytes = static_cast<const char *>(buffer.cdata().data());
            if (parse && !nlohmann::json::parse(bytes, bytes + length).contains("topicName")) fail("no topic");
            if (echo) {
                auto self = shared_from_this();
                socket.async_write(buffer.cdata(), [self](error_code error, std::size_t) {
                    if (error) fail(error.message());
                    self->buffer.clear();
                    self->read();
                });
                return;
            }
        }
        buffer.clear();
        read();
    }
};

static void open(asio::io_context &loop, asio::ssl::context &context) {
    opened++;
    std::make_shared<Client>(loop, context)->start();
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        std::string argument = argv[i];
        if (argument == "--parse") {
            parse = true;
        } else if (argument == "--echo") {
            echo = true;
        } else if (argument == "--ca" && i + 1 < argc) {
            ca = argv[++i];
        } else if (argument == "--idle" && i + 1 < argc) {
            idle = std::strtoul(argv[++i], nullptr, 10);
        } else {
            char h[256], p[8], rest[512] = "/";
            if (std::sscanf(argv[i], "wss://%255[^:/]:%7[0-9]%511s", h, p, rest) < 2) fail("no URI: " + argument);
            host = h, port = p, path = rest;
        }
    }
    asio::io_context loop(1);
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.load_verify_file(ca);
    asio::signal_set signals(loop, SIGTERM);
    if (idle > 0) signals.async_wait([](error_code, int) { std::_Exit(0); });
    for (std::size_t i = 0; i < (idle == 0 ? 1 : idle < 64 ? idle : 64); i++) open(loop, context);
    loop.run();
    std::printf("{\"messages\":%llu,\"bytes\":%llu}\n", messages, size);
}
