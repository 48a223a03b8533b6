import Testing

/// The tests with real and false servers, one after another: each holds a thread of the tests while its loop waits,
/// and two of them would hold all that a small machine has.
@Suite(.serialized) enum RedisTests {}
