// Full validation with simdjson's DOM: every byte of the message is looked at, and the topic found.
#include <simdjson.h>

extern "C" int validate(const unsigned char *bytes, size_t length) {
    static simdjson::dom::parser parser;
    simdjson::dom::element message;
    std::string_view topic;
    // The caller leaves enough readable bytes behind the message, so that it is parsed where it is.
    if (parser.parse(reinterpret_cast<const char *>(bytes), length, false).get(message) != simdjson::SUCCESS) return 0;
    return message["topicName"].get(topic) == simdjson::SUCCESS;
}
