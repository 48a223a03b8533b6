import Testing

/// Runs the code of `Snippets`, which the pages show verbatim, with the simulator: it does what the pages say.
///
/// One after another, because what the code prints is recorded in one place.
@Suite(.serialized, .timeLimit(.minutes(patience(2)))) struct PageCodeTests {}
