import Testing

/// The tests with real and false servers, in which a loop waits for some seconds.
@Suite(.serialized, .ownThread) enum RedisTests {}
