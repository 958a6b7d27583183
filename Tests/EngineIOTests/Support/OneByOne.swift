import Testing

/// The suites that keep short times, or that load the machine so that others could not keep theirs. They run one by one.
@Suite(.serialized) enum OneByOne {}
